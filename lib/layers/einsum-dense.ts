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

/** An equation taken apart, with a letter for each axis that `...` stands for. */
interface Axes { input: string[], kernel: string[], output: string[], elided: number, left: boolean }

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
    const { equation } = this.settings
    const [, before, input, after, kernel, , output] = /^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(?:\.\.\.)?$/.exec(equation) ?? []
    const elided = rank - (input?.length ?? 0)
    if (!input || elided < 0 || elided > 0 && !before && !after) {
      throw new GraftError(`EinsumDense '${this.name}': expected an equation such as 'abc,cd->abd' or '...x,xy->...y' for an input of ` +
        `${rank} axes. Received ${JSON.stringify(equation)}.`)
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
    own.forEach((axis, i) => {
      const size = this.settings.outputShape[i] ?? null
      if (size !== null && sizes.has(axis) && sizes.get(axis) !== null && sizes.get(axis) !== size) {
        throw new GraftError(`EinsumDense '${this.name}': axis ${axis} is ${sizes.get(axis)} in the input [${shape}], but ${size} in the ` +
          'output shape. Give both one size.')
      }
      if (size !== null || !sizes.has(axis)) sizes.set(axis, size)
    })
    return { axes, sizes }
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const { axes: { kernel, output, elided, left }, sizes } = this.#sizes(shapes as tf.Shape), { biasAxes } = this.settings
    this.kernel = this.addWeight('kernel', kernel.map(axis => sizes.get(axis)!), 'float32', this.kernelInitializer,
      this.kernelRegularizer, true, this.kernelConstraint)
    if (biasAxes) {
      const from = Math.min(...[...biasAxes].map(axis => output.indexOf(axis)))
      const own = output.slice(from, left ? undefined : output.length - elided), after = Array.from({ length: left ? 0 : elided }, () => 1)
      const shape = own.map(axis => biasAxes.includes(axis) ? sizes.get(axis)! : 1)
      this.bias = this.addWeight('bias', [...shape, ...after], 'float32', this.biasInitializer, this.biasRegularizer, true, this.biasConstraint)
    }
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const product = this.#product(Array.isArray(inputs) ? inputs[0] : inputs), y = this.bias ? tf.add(product, this.bias.read()) : product
      return this.activation ? this.activation.apply(y) : y
    })
  }

  /** Input and kernel as two piles of matrices, multiplied, and their axes put in order. */
  #product(x: tf.Tensor): tf.Tensor {
    const { input, kernel, output } = this.#axesOf(x.rank), weights = this.kernel!.read()
    const shared = input.filter(axis => kernel.includes(axis) && output.includes(axis))
    const summed = input.filter(axis => kernel.includes(axis) && !output.includes(axis))
    const given = input.filter(axis => !kernel.includes(axis) && output.includes(axis))
    const fresh = kernel.filter(axis => !input.includes(axis) && output.includes(axis))
    const gone = input.flatMap((axis, d) => kernel.includes(axis) || output.includes(axis) ? [] : [d])
    const rest = gone.length ? tf.sum(x, gone) : x, axes = input.filter((_, d) => !gone.includes(d))
    const sizes = new Map([...axes.map((axis, d) => [axis, rest.shape[d]] as const), ...kernel.map((axis, d) => [axis, weights.shape[d]!] as const)])
    const sizeOf = (names: string[]) => names.reduce((product, axis) => product * sizes.get(axis)!, 1)
    const inOrder = (of: tf.Tensor, from: string[], to: string[]) => tf.transpose(of, to.map(axis => from.indexOf(axis)))
    const left = tf.reshape(inOrder(rest, axes, [...shared, ...given, ...summed]), [sizeOf(shared), sizeOf(given), sizeOf(summed)])
    const right = tf.reshape(inOrder(weights, kernel, [...shared, ...summed, ...fresh]), [sizeOf(shared), sizeOf(summed), sizeOf(fresh)])
    const made = [...shared, ...given, ...fresh], product = tf.reshape(tf.matMul(left, right), made.map(axis => sizes.get(axis)!))
    return inOrder(product, made, output)
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
