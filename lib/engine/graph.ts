import { tf } from '../tf.ts'
import { Shared } from './shared-model.ts'

/** A tensor between layers. Its shape has the batch in front, as `null` where it is free. */
export interface Edge {
  /** The layer it comes from. */
  readonly name: string
  readonly shape: (number | null)[]
}

/** One application of a layer. */
export interface Step {
  readonly layer: tf.layers.Layer
  readonly inputs: Edge[]
  readonly outputs: Edge[]
  /** Arguments besides the inputs, as given to `layer.apply`. */
  readonly args: Record<string, unknown>
  /** A model around it, used as a layer, was frozen as a whole. */
  readonly frozen: boolean
}

/** A model as a plain list of steps in the order in which they can run; models used as layers are opened up. */
export interface Graph {
  readonly inputs: Edge[]
  readonly outputs: Edge[]
  readonly steps: Step[]
}

/** The part of a model between some tensors, where it is not a model of its own. */
export interface Part {
  inputs: tf.SymbolicTensor[]
  outputs: tf.SymbolicTensor[]
}

/** Writes down what a model computes, layer by layer, inner models included. */
export function graphOf(model: tf.LayersModel | Part): Graph {
  const steps: Step[] = []
  const inputs = model.inputs.map(({ sourceLayer, shape }) => ({ name: sourceLayer.name, shape }))
  return { inputs, steps, outputs: walk(model, inputs, false, steps) }
}

/** Adds the steps from the model's inputs, which are `given`, to its outputs, and returns those. */
function walk(model: Part, given: Edge[], frozen: boolean, steps: Step[]): Edge[] {
  const known = new Map<tf.SymbolicTensor, Edge>(model.inputs.map((tensor, i) => [tensor, given[i]]))
  // An explicit stack, since deep nets have more layers than a call stack has frames to spare.
  const open = [...model.outputs].reverse()
  while (open.length > 0) {
    const tensor = open.at(-1)!
    const missing = known.has(tensor) ? [] : tensor.inputs.filter((input) => !known.has(input))
    if (missing.length > 0) {
      open.push(...missing.reverse())
      continue
    }
    open.pop()
    if (!known.has(tensor)) apply(tensor, known, frozen, steps)
  }
  return model.outputs.map((tensor) => known.get(tensor)!)
}

function apply(tensor: tf.SymbolicTensor, known: Map<tf.SymbolicTensor, Edge>, frozen: boolean, steps: Step[]): void {
  const layer = tensor.sourceLayer, inputs = tensor.inputs.map((input) => known.get(input)!)
  const node = layer.inboundNodes.find(({ outputTensors }) => outputTensors.includes(tensor))!
  if (layer instanceof tf.LayersModel) {
    const outputs = walk(layer, inputs, frozen || !layer.trainable, steps)
    node.outputTensors.forEach((output, i) => known.set(output, outputs[i]))
    return
  }
  // Inside a model that was used as a layer, shapes follow from what it was given, not from its own inputs.
  const shapes = layer.computeOutputShape(inputs.length === 1 ? inputs[0].shape : inputs.map(({ shape }) => shape))
  const list = Array.isArray(shapes[0]) ? shapes as Edge['shape'][] : [shapes as Edge['shape']]
  const outputs = list.map((shape, i) => ({ name: i === 0 ? layer.name : `${layer.name}:${i}`, shape }))
  node.outputTensors.forEach((output, i) => known.set(output, outputs[i]))
  steps.push({ layer: layer instanceof Shared ? layer.layer : layer, inputs, outputs, frozen, args: (tensor.callArgs ?? {}) as Record<string, unknown> })
}

/**
 * Multiplications for one example: each number of a filter or kernel once for each place of the image that is computed from it.
 */
export function workOf(steps: Iterable<Step>): number {
  let work = 0
  for (const { layer, inputs: [input], outputs: [output] } of steps) {
    const { shape } = layer.getClassName().endsWith('Transpose') ? input : output
    const places = shape.length === 4 ? (shape[1] ?? 1) * (shape[2] ?? 1) : 1
    for (const weight of layer.weights) if (weight.shape.length > 1) work += places * weight.shape.reduce<number>((size, side) => size * side!, 1)
  }
  return work
}

/** The edges by which what the steps `inside` compute, or the graph's input, reaches other `steps` or is among the `ends`. */
export function leaving(graph: Graph, inside: Set<Step>, steps: Step[], ends: Edge[]): Edge[] {
  const made = new Set([...graph.inputs, ...[...inside].flatMap(({ outputs }) => outputs)])
  const taken = steps.filter((step) => !inside.has(step)).flatMap(({ inputs }) => inputs)
  return [...new Set([...taken, ...ends])].filter((edge) => made.has(edge))
}
