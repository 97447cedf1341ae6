import { GraftError } from '../../error.ts'
import type { tf } from '../../tf.ts'
import { graphOf } from '../graph.ts'
import type { Edge, Graph, Part, Step } from '../graph.ts'
import { Emitter, Unsupported } from './emitter.ts'
import { encodeModel } from './proto.ts'
import { ruleOf } from './rules/index.ts'

/** Steps written in ONNX as far as that goes. */
export interface Emission {
  emitter: Emitter
  /** The steps that were written. */
  written: Set<Step>
  /** Why others were not, one line each; what depends on them is not named. */
  reasons: string[]
}

/**
 * Writes in ONNX those of the graph's steps that `wanted` names. One that has no rule ends the branch it is on; the others go on.
 */
export function emit(graph: Graph, wanted: Iterable<Step> = graph.steps): Emission {
  const emitter = new Emitter(graph), written = new Set<Step>(), reasons: string[] = []
  for (const step of wanted) {
    if (!step.inputs.every((edge) => emitter.valueOf(edge))) continue
    const { layer } = step, rule = ruleOf(layer)
    try {
      if (!rule) throw new Unsupported(`layers of class ${layer.getClassName()}`)
      emitter.emit(step, rule)
      written.add(step)
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      reasons.push(`layer '${layer.name}': ONNX cannot say ${error.message}`)
    }
  }
  return { emitter, written, reasons }
}

/**
 * The bytes of an `.onnx` file that gives `outputs`, in that order, as `output`, `output_1`, …; inputs are `input`, `input_1`, ….
 */
export function encode({ emitter }: Emission, inputs: Edge[], outputs: Edge[]): Uint8Array {
  const values = outputs.map((edge) => emitter.valueOf(edge)!)
  const named = values.map((value, i) => ({ name: i === 0 ? 'output' : `output_${i}`, shape: value.shape, from: emitter.last(value) }))
  const ends = named.map(({ name, from }) => ({ op: 'Identity', name, inputs: [from], outputs: [name], attributes: {} }))
  return encodeModel({
    nodes: [...emitter.nodes, ...ends], constants: emitter.constants, outputs: named,
    inputs: inputs.map((edge) => emitter.valueOf(edge)!),
  })
}

/**
 * Writes a model, or the part of one between some tensors, as an ONNX file (opset 18): inputs and outputs keep TensorFlow's
 * order, channels last; the batch is free; normalizations are folded into the convolutions before them.
 *
 * @throws GraftError where a layer has no counterpart, naming it
 * @example
 * await writeFile('model.onnx', toOnnx(model))
 */
export function toOnnx(model: tf.LayersModel | Part): Uint8Array {
  const graph = graphOf(model), emission = emit(graph)
  if (emission.reasons.length > 0) throw new GraftError(`cannot write the model as ONNX: ${emission.reasons.join('; ')}.`)
  return encode(emission, graph.inputs, graph.outputs)
}
