import { type DType, dtypes, functionAttr, nodeDef, type Shape, shapeProto, typeAttr, typesAttr } from './attributes.ts'
import type { Value } from './body.ts'
import { bool, bytes, entry, type Field, int, message, nested, text } from './message.ts'

/** A tensor that a function takes or gives. */
export interface Spec { name: string, shape: Shape }

/** What a function of the graph's library looks like from outside. */
export interface Signature {
  name: string
  inputs: Spec[]
  outputs: Spec[]
}

/** A variable as functions take it: the argument's name, and the shape behind the handle. */
export interface Handle { name: string, shape: Shape }

const argument = (name: string, dtype: DType, ...more: Field[]): Uint8Array =>
  message(text(1, name), int(3, dtypes[dtype]), ...more)

/**
 * A `FunctionDef`: takes the inputs, then the handles of all variables, and gives `results` in the order of the signature's
 * outputs, once the nodes `first` have run.
 */
export function functionDef({ name, inputs, outputs }: Signature, handles: Handle[], nodes: Uint8Array[], results: Value[],
  first: string[] = []): Uint8Array {
  const given = [
    ...inputs.map((_, i) => argument(inputName(i), 'float32')),
    ...handles.map(handle => argument(handle.name, 'resource',
      nested(7, int(1, dtypes.float32), bytes(2, shapeProto(handle.shape))))),
  ]
  const identity = (value: Value, i: number) =>
    nodeDef(`result_${i}`, 'Identity', [value.ref, ...first.map(node => `^${node}`)], { T: typeAttr('float32') })
  return message(
    nested(1, text(1, name), ...given.map(each => bytes(2, each)),
      ...outputs.map((_, i) => bytes(3, argument(outputName(i), 'float32'))), bool(17, true),
      ...first.map(node => text(20, node))),
    ...[...nodes, ...results.map(identity)].map(node => bytes(3, node)),
    ...outputs.map((_, i) => nested(4, text(1, outputName(i)), text(2, `result_${i}:output:0`))),
    ...first.map(node => nested(6, text(1, node), text(2, node))),
    entry(5, '_construction_context', message(text(2, 'kEagerRuntime'))),
  )
}

/** The arguments and results of every function are numbered: what they stand for is in its signature. */
export const inputName = (i: number): string => `input_${i}`
const outputName = (i: number): string => `output_${i}`

/** A function that hands everything to another one, which takes and gives the tensors of `order` in that order. */
export function forwarding(signature: Signature, handles: Handle[], to: string, order: Omit<Signature, 'name'>): Uint8Array {
  const place = (specs: Spec[], { name }: Spec) => specs.findIndex(spec => spec.name === name)
  const inputs = order.inputs.map(spec => inputName(place(signature.inputs, spec)))
  const node = callNode('StatefulPartitionedCall', to, inputs, handles.map(({ name }) => name), signature.outputs.length)
  const results = signature.outputs.map(spec =>
    ({ ref: `StatefulPartitionedCall:output:${place(order.outputs, spec)}`, shape: spec.shape }))
  return functionDef(signature, handles, [node], results)
}

/** A node that calls a function with tensors and the handles of variables. */
export const callNode = (name: string, to: string, inputs: string[], handles: string[], outputs: number): Uint8Array =>
  nodeDef(name, 'StatefulPartitionedCall', [...inputs, ...handles], {
    f: functionAttr(to),
    Tin: typesAttr([...inputs.map(() => 'float32' as const), ...handles.map(() => 'resource' as const)]),
    Tout: typesAttr(Array.from({ length: outputs }, () => 'float32' as const)),
  })
