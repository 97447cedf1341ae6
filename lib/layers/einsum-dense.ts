import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { LayerConfig } from './one-input.ts'

interface Settings {
  /** Which axes of input and kernel are multiplied and summed: `abc,cd->abd`, `...x,xy->...y`, `ab...,bc->ac...`. */
  equation: string
  /** The output's sizes without the batch and what `...` stands for; `null` where the input's is taken. */
  outputShape: (number | null)[]
  /** Axes of the output that have an offset of their own each. */
  biasAxes: string | null
}

interface Variable { read(): tf.Tensor }

/** What is used of TensorFlow.js's dense layer, which it neither exports nor types. */
declare class DenseLayer extends tf.layers.Layer {
  kernel: Variable | null
  bias: Variable | null
  activation: { apply(x: tf.Tensor): tf.Tensor } | null
  kernelInitializer: never
  kernelRegularizer: never
  kernelConstraint: never
  biasInitializer: never
  biasRegularizer: never
  biasConstraint: never
}
const Dense = tf.layers.dense({ units: 1 }).constructor as unknown as new (config: object) => DenseLayer

type Given = Omit<Settings, 'outputShape' | 'biasAxes'> & { outputShape: number | (number | null)[], biasAxes?: string | null }

/** An equation taken apart, with a letter for each axis that `...` stands for: `elided` ones, on the left or on the right. */
interface Axes { input: string[], kernel: string[], output: string[], elided: number, left: boolean }

const form = /^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(?:\.\.\.)?([a-zA-Z]+)(?:\.\.\.)?$/

/**
 * Keras's `EinsumDense`: a dense layer whose kernel and input are multiplied and summed along the axes that an equation names.
 * Source: keras EinsumDense.
 */
export class EinsumDense extends Dense {
  static className = 'EinsumDense'
  readonly settings: Settings
  readonly deterministic = true

  constructor({ equation, outputShape, biasAxes = null, ...config }: LayerConfig<Given>) {
    super({ ...config, units: 1 })
    this.settings = { equation, outputShape: [outputShape].flat(), biasAxes }
  }

  #axesOf(rank: number): Axes {
    const { equation } = this.settings, [, before, input, after, kernel, output] = form.exec(equation) ?? []
    const elided = rank - (input?.length ?? 0)
    if (!input || elided < 0 || elided > 0 && !before && !after) {
      throw new GraftError(`EinsumDense '${this.name}': expected an equation such as 'abc,cd->abd' or '...x,xy->...y' for an ` +
        `input of ${rank} axes. Received ${JSON.stringify(equation)}.`)
    }
    const more = Array.from({ length: elided }, (_, i) => String(i)), left = before !== undefined
    const whole = (axes: string) => left ? [...more, ...axes] : [...axes, ...more]
    return { input: whole(input), kernel: [...kernel], output: whole(output), elided, left }
  }

  /** The size of each axis. */
  #sizes(shape: tf.Shape): { axes: Axes, sizes: Map<string, number | null> } {
    const axes = this.#axesOf(shape.length), { input, output, elided, left } = axes
    const sizes = new Map<string, number | null>(input.map((axis, d) => [axis, shape[d]]))
    const own = left ? output.slice(Math.max(elided, 1)) : output.slice(1, output.length - elided)
    for (const [i, axis] of own.entries()) {
      const size = this.settings.outputShape[i] ?? null, known = sizes.get(axis) ?? null
      if (size !== null && known !== null && known !== size) {
        throw new GraftError(`EinsumDense '${this.name}': axis ${axis} is ${known} in the input [${shape}], but ${size} in the ` +
          'output shape. Give both one size.')
      }
      sizes.set(axis, size ?? known)
    }
    return { axes, sizes }
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const { axes: { kernel, output, elided, left }, sizes } = this.#sizes(shapes as tf.Shape), { biasAxes } = this.settings
    const { kernelInitializer, kernelRegularizer, kernelConstraint, biasInitializer, biasRegularizer, biasConstraint } = this
    const sides = kernel.map(axis => sizes.get(axis)!)
    this.kernel = this.addWeight('kernel', sides, 'float32', kernelInitializer, kernelRegularizer, true, kernelConstraint)
    if (biasAxes) {
      const from = Math.min(...[...biasAxes].map(axis => output.indexOf(axis)))
      const own = output.slice(from, left ? undefined : output.length - elided)
      const shape = own.map(axis => biasAxes.includes(axis) ? sizes.get(axis)! : 1)
      if (!left) shape.push(...Array.from({ length: elided }, () => 1))
      this.bias = this.addWeight('bias', shape, 'float32', biasInitializer, biasRegularizer, true, biasConstraint)
    }
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const product = this.#product(Array.isArray(inputs) ? inputs[0] : inputs)
      const y = this.bias ? tf.add(product, this.bias.read()) : product
      return this.activation ? this.activation.apply(y) : y
    })
  }

  /** Input and kernel as two piles of matrices, multiplied, and their axes put in order. */
  #product(given: tf.Tensor): tf.Tensor {
    const { input, kernel, output } = this.#axesOf(given.rank), weights = this.kernel!.read()
    const gone = input.flatMap((axis, d) => kernel.includes(axis) || output.includes(axis) ? [] : [d])
    const x = gone.length ? tf.sum(given, gone) : given, axes = input.filter((_, d) => !gone.includes(d))
    const both = axes.filter(axis => kernel.includes(axis)), rows = axes.filter(axis => !kernel.includes(axis))
    const piled = both.filter(axis => output.includes(axis)), summed = both.filter(axis => !output.includes(axis))
    const columns = kernel.filter(axis => !axes.includes(axis))
    const sizesOf = (names: string[], { shape }: tf.Tensor) => names.map((axis, d): [string, number] => [axis, shape[d]!])
    const sizes = new Map([...sizesOf(axes, x), ...sizesOf(kernel, weights)])
    const size = (names: string[]) => names.reduce((product, axis) => product * sizes.get(axis)!, 1)
    const ordered = (of: tf.Tensor, from: string[], to: string[]) => tf.transpose(of, to.map(axis => from.indexOf(axis)))
    const pile = (of: tf.Tensor, from: string[], ...sides: string[][]) =>
      tf.reshape(ordered(of, from, [...piled, ...sides.flat()]), [size(piled), ...sides.map(size)])
    const product = tf.matMul(pile(x, axes, rows, summed), pile(weights, kernel, summed, columns))
    const made = [...piled, ...rows, ...columns]
    return ordered(tf.reshape(product, made.map(axis => sizes.get(axis)!)), made, output)
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    const { axes: { output }, sizes } = this.#sizes(shape as tf.Shape)
    return output.map(axis => sizes.get(axis)!)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units, useBias, ...config } = super.getConfig()
    return { ...config, ...this.settings }
  }
}
