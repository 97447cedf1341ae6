import { tf } from '../tf.ts'
import type { Edge, Step } from './graph.ts'

type Shape = tf.Shape | tf.Shape[]

/**
 * Stands for another layer in a second model: the weights, their freezing and the arithmetic are the other's. Applying the other
 * itself would add a second node to it, and then its `output` could no longer be asked for.
 */
export class Shared extends tf.layers.Layer {
  static className = 'Shared'
  readonly layer: tf.layers.Layer

  constructor(layer: tf.layers.Layer, name: string) {
    super({ name })
    this.layer = layer
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[], args: object): tf.Tensor | tf.Tensor[] {
    return this.layer.apply(inputs, args) as tf.Tensor | tf.Tensor[]
  }

  override computeOutputShape(shape: Shape): Shape { return this.layer.computeOutputShape(shape) }
  override calculateLosses() { return this.layer.calculateLosses() }
  override get trainable() { return this.layer?.trainable }
  override set trainable(value) { this.layer.trainable = value }
  override get trainableWeights() { return this.layer.trainableWeights }
  override get nonTrainableWeights() { return this.layer.nonTrainableWeights }
  override getClassName() { return this.layer.getClassName() }
  override getConfig() { return this.layer.getConfig() }
  /** The weights are the other layer's to free. */
  override dispose() { return { refCountAfterDispose: 0, numDisposedVariables: 0 } }
}

/** A model of the given steps, from some edges to others, that shares the layers' weights and leaves the layers as they are. */
export function modelBetween(inputs: Edge[], steps: Iterable<Step>, outputs: Edge[], name: string): tf.LayersModel {
  const names = new Set<string>(), layers = new Map<tf.layers.Layer, Shared>()
  const unique = (wish: string) => {
    let name = wish
    for (let i = 1; names.has(name); i++) name = `${wish}_${i}`
    names.add(name)
    return name
  }
  const known = new Map<Edge, tf.SymbolicTensor>()
  for (const edge of inputs) known.set(edge, tf.input({ shape: edge.shape.slice(1), name: unique(edge.name) }))
  for (const { layer, inputs, outputs, args } of steps) {
    if (!layers.has(layer)) layers.set(layer, new Shared(layer, unique(layer.name)))
    const given = inputs.map((edge) => known.get(edge)!)
    const made = layers.get(layer)!.apply(given.length === 1 ? given[0] : given, args) as tf.SymbolicTensor | tf.SymbolicTensor[]
    const list = Array.isArray(made) ? made : [made]
    outputs.forEach((edge, i) => known.set(edge, list[i]))
  }
  return tf.model({ inputs: inputs.map((edge) => known.get(edge)!), outputs: outputs.map((edge) => known.get(edge)!), name })
}
