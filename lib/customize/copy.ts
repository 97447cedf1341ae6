import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { tf } from '../tf.ts'
import { explainShapes } from './explain.ts'
import { isModel, leaves, shapeOf, type Layer } from './layers.ts'

// A layer that would be left with no pixels must refuse while a copy is built, not later.
explainShapes(tf)

/** One use of a layer in a model: a layer that is shared has several. */
export interface Use {
  layer: Layer
  /** The layers that its inputs come from, in order. */
  from: Layer[]
}

/**
 * What to change while a model is copied: called for each use of a layer with the copy's tensors that flow in; answers with
 * what flows out. `usual` puts the layer's copy there.
 */
export type Edit = (use: Use, inputs: SymbolicTensor[], usual: (inputs: SymbolicTensor[]) => SymbolicTensor[]) => SymbolicTensor[]

/** What a copy may need to know besides. */
export interface CopyOptions {
  /** Shapes of the new inputs, the batch in front. Default the old ones. */
  inputShapes?: (number | null)[][]
  /** Weights for a layer that got another shape, or null where it must keep its own. */
  adapt?(layer: Layer, made: Layer): tf.Tensor[] | null
}

/**
 * A copy of a model with an edit. All layers are built and their shapes compared first; then the weights are copied, and they
 * are the copy's own. What no output needs any more is left out. A layer used twice is shared in the copy too; nested models
 * stay nested.
 *
 * @throws GraftError where a layer cannot stand where it now stands; nothing is left behind then
 */
export function copyModel(model: LayersModel, edit: Edit, options: CopyOptions = {}): LayersModel {
  const copy = new Copy(edit, options.adapt)
  try {
    const made = copy.model(model, options.inputShapes ?? model.inputs.map(({ shape }) => shape), model.name)
    copy.moveWeights()
    return made
  } catch (error) {
    copy.discard()
    throw error
  }
}

/** A layer of its own with the same configuration and, once it is built, the same weights; a model is copied as a whole. */
export function copyLayer(layer: Layer): Layer {
  if (isModel(layer)) return copyModel(layer, (_, inputs, usual) => usual(inputs))
  const type = layer.constructor as unknown as { fromConfig(cls: unknown, config: object): Layer }
  const made = type.fromConfig(type, layer.getConfig())
  made.trainable = layer.trainable
  return made
}

class Copy {
  readonly #edit: Edit
  readonly #adapt: CopyOptions['adapt']
  readonly #layers = new Map<Layer, Layer>()

  constructor(edit: Edit, adapt: CopyOptions['adapt']) {
    this.#edit = edit
    this.#adapt = adapt
  }

  model(model: LayersModel, inputShapes: (number | null)[][], name: string): LayersModel {
    const known = new Map<SymbolicTensor, SymbolicTensor>(), inputs: SymbolicTensor[] = []
    model.inputs.forEach((tensor, i) => {
      const input = tf.input({ batchShape: inputShapes[i], dtype: tensor.dtype, name: tensor.sourceLayer.name })
      inputs.push(input)
      known.set(tensor, this.#edit({ layer: tensor.sourceLayer, from: [] }, [input], given => given)[0])
    })
    // An explicit stack, since deep nets have more layers than a call stack has frames to spare.
    const open = [...model.outputs].reverse()
    while (open.length > 0) {
      const tensor = open.at(-1)!
      const missing = known.has(tensor) ? [] : tensor.inputs.filter(input => !known.has(input))
      open.push(...missing.reverse())
      if (missing.length > 0) continue
      open.pop()
      if (!known.has(tensor)) this.#use(tensor, known)
    }
    const made = tf.model({ inputs, outputs: model.outputs.map(tensor => known.get(tensor)!), name })
    if (!model.trainable) shut(made)
    return made
  }

  #use(tensor: SymbolicTensor, known: Map<SymbolicTensor, SymbolicTensor>): void {
    const layer = tensor.sourceLayer, node = layer.inboundNodes.find(one => one.outputTensors.includes(tensor))!
    const inputs = tensor.inputs.map(input => known.get(input)!)
    const use = { layer, from: tensor.inputs.map(input => input.sourceLayer) }
    const outputs = this.#edit(use, inputs, given => this.#apply(layer, given, tensor))
    node.outputTensors.forEach((output, i) => known.set(output, outputs[i]))
  }

  #apply(layer: Layer, inputs: SymbolicTensor[], before: SymbolicTensor): SymbolicTensor[] {
    const made = this.#layers.get(layer) ?? this.#made(layer, inputs)
    const outputs = applied(made, inputs, `in the original ${before.inputs.map(input => shapeOf(input.shape)).join(' and ')}`,
      before.callArgs)
    if (!isModel(layer)) this.#check(layer, made, inputs, before)
    return outputs
  }

  #made(layer: Layer, inputs: SymbolicTensor[]): Layer {
    const made = isModel(layer) ? this.model(layer, inputs.map(({ shape }) => shape), layer.name) : copyLayer(layer)
    if (!isModel(layer)) startWithZeros(made)
    this.#layers.set(layer, made)
    return made
  }

  #check(layer: Layer, made: Layer, inputs: SymbolicTensor[], before: SymbolicTensor): void {
    const other = layer.weights.findIndex((weight, i) => String(weight.shape) !== String(made.weights[i]?.shape))
    if (other < 0 || tf.tidy(() => Boolean(this.#adapt?.(layer, made)))) return
    throw new GraftError(`'${layer.name}' (${layer.getClassName()}) would lose its weights: they are for ` +
      `${before.inputs.map(input => shapeOf(input.shape)).join(' and ')}, it would receive ` +
      `${inputs.map(input => shapeOf(input.shape)).join(' and ')} (${layer.weights[other].originalName}: ` +
      `expected [${layer.weights[other].shape.join(', ')}], received [${made.weights[other]?.shape.join(', ')}]). End what is new in the ` +
      `shape that is expected, e.g. by a convolution of kernel size 1, or replace '${layer.name}' too.`)
  }

  /** The weights follow once every layer stands. */
  moveWeights(): void {
    for (const [layer, made] of this.#layers) {
      if (isModel(layer) || !layer.weights.length) continue
      tf.tidy(() => {
        const same = layer.weights.every((weight, i) => String(weight.shape) === String(made.weights[i].shape))
        made.setWeights(same ? layer.getWeights() : this.#adapt!(layer, made)!)
      })
    }
  }

  discard(): void {
    for (const [layer, made] of this.#layers) if (!isModel(layer)) for (const weight of made.weights) weight.dispose()
  }
}

/** Puts a layer on tensors; where that fails, says which layer, what it received and what it stood on before. */
export function applied(layer: Layer, inputs: SymbolicTensor[], before: string, args: object = {}): SymbolicTensor[] {
  const received = inputs.map(input => shapeOf(input.shape)).join(' and ')
  const after = inputs.map(input => `'${input.sourceLayer.name}'`).join(' and ')
  try {
    return [layer.apply(inputs.length === 1 ? inputs[0] : inputs, args as never)].flat() as SymbolicTensor[]
  } catch (error) {
    throw new GraftError(`'${layer.name}' (${layer.getClassName()}) cannot stand after ${after}: it received ${received}, ${before}. ` +
      `${(error as Error).message}`)
  }
}

/** The first weights are replaced at once: drawing millions of random numbers for them would be the longest part of a copy. */
function startWithZeros(layer: Layer): void {
  const one = layer as unknown as { addWeight(...args: unknown[]): unknown }, usual = one.addWeight
  one.addWeight = function (name, shape, dtype, _, ...rest) {
    return usual.call(this, name, shape, dtype, tf.initializers.zeros(), ...rest)
  }
}

/** Freezes a model as a whole and leaves each layer's own flag as it was. */
function shut(model: LayersModel): void {
  const flags = leaves(model).map(layer => layer.trainable)
  model.trainable = false
  leaves(model).forEach((layer, i) => { layer.trainable = flags[i] })
}
