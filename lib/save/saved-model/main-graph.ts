import {
  type DType, dtypes, nodeDef, type Shape, shapeAttr, shapeProto, tensorAttr, textAttr, typeAttr, typesAttr,
} from './attributes.ts'
import { callNode, type Signature } from './functions.ts'
import { bytes, entry, int, message, nested, text } from './message.ts'
import type { Variable } from './objects.ts'

/** The graph that programs without Python run, as TensorFlow Serving does: the parts of a `MetaGraphDef`. */
export interface MainGraph {
  nodes: Uint8Array[]
  saver: Uint8Array
  /** `SignatureDef`s by name. */
  signatures: Map<string, Uint8Array>
}

/** Writes that graph: the variables, their restoring from the checkpoint, and a call of the function that serves. */
export function mainGraph(variables: Variable[], serving: Signature): MainGraph {
  const nodes: Uint8Array[] = []
  const add = (name: string, op: string, inputs: string[], attributes: Record<string, Uint8Array>) => {
    nodes.push(nodeDef(name, op, inputs, attributes))
    return name
  }
  const texts = (name: string, values: string[]) => add(name, 'Const', [], { dtype: typeAttr('string'),
    value: tensorAttr('string', [values.length], values.map(value => Buffer.from(value))) })
  const placeholder = (name: string, dtype: DType, shape: Shape) =>
    add(name, 'Placeholder', [], { dtype: typeAttr(dtype), shape: shapeAttr(shape) })
  const handles = variables.map(({ name, shape }) => add(name, 'VarHandleOp', [],
    { dtype: typeAttr('float32'), shape: shapeAttr(shape), shared_name: textAttr(name) }))
  const inputs = serving.inputs.map(({ name, shape }) => placeholder(`serving_default_${name}`, 'float32', shape))
  const call = 'StatefulPartitionedCall'
  nodes.push(callNode(call, serving.name, inputs, handles, serving.outputs.length))
  const file = placeholder('saver_filename', 'string', [])
  const restored = variables.length ? restore(variables, handles, file, texts, add) : []
  add('restore_all', 'NoOp', restored.map(name => `^${name}`), {})
  const ready = add('NoOp', 'NoOp', [], {})
  const info = (name: string, shape: Shape) => message(text(1, name), int(2, dtypes.float32), bytes(3, shapeProto(shape)))
  return {
    nodes,
    saver: message(text(1, `${file}:0`), text(2, `${file}:0`), text(3, 'restore_all'), int(7, 2)),
    signatures: new Map([
      ['serving_default', message(
        ...serving.inputs.map(({ name, shape }, i) => entry(1, name, info(`${inputs[i]}:0`, shape))),
        ...serving.outputs.map(({ name, shape }, i) => entry(2, name, info(`${call}:${i}`, shape))),
        text(3, 'tensorflow/serving/predict'))],
      ['__saved_model_init_op', message(entry(2, '__saved_model_init_op',
        message(text(1, ready), bytes(3, message(int(3, 1))))))],
    ]),
  }
}

/** Reads every variable from the checkpoint and gives it its value; returns the names of the nodes that do so. */
function restore(variables: Variable[], handles: string[], file: string, texts: (name: string, values: string[]) => string,
  add: (name: string, op: string, inputs: string[], attributes: Record<string, Uint8Array>) => string): string[] {
  const keys = texts('restore/names', variables.map(({ key }) => key)), whole = texts('restore/slices', variables.map(() => ''))
  const read = add('restore/RestoreV2', 'RestoreV2', [file, keys, whole],
    { dtypes: typesAttr(variables.map(() => 'float32' as const)) })
  return handles.map((handle, i) => add(`restore/AssignVariableOp_${i}`, 'AssignVariableOp', [handle, `${read}:${i}`],
    { dtype: typeAttr('float32') }))
}

/** The operation that a session runs once the variables are there: nothing is left to do. */
export const mainOp: Uint8Array = message(nested(1, text(1, 'NoOp')))
