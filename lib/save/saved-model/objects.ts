import { writerMark } from '../../hub/saved-model.ts'
import { dtypes, shapeProto } from './attributes.ts'
import type { Signature } from './functions.ts'
import { bool, bytes, entry, type Field, int, ints, message, nested, text } from './message.ts'
import { dictionary, flag, functionSpec, type Structure, tensors, tensorSpec, tuple } from './structure.ts'

/** A variable of the model. */
export interface Variable {
  name: string
  shape: number[]
  trainable: boolean
  /** Where the checkpoint keeps it. */
  key: string
}

/** The functions that TensorFlow's users call, by the role they have. */
export interface Functions {
  inference: Signature
  training: Signature
  serve: Signature
  signature: Signature
  /** A penalty on one variable each, which training adds to the loss. */
  penalties: { signature: Signature, variable: number }[]
}

/** One object of the graph of Python objects: what it is, and its children by name. */
interface Node {
  children: [name: string, id: number][]
  kind: Field
  variable?: Variable
}

/**
 * The objects that `tf.saved_model.load` gives back, as TensorFlow Hub's reusable SavedModels have them: `__call__(inputs,
 * training=False)`, `serve(inputs)`, `signatures`, `variables`, `trainable_variables`, `regularization_losses`. Once as the
 * SavedModel holds them (`SavedObjectGraph`), once as its checkpoint does (`TrackableObjectGraph`).
 */
export function objectGraphs(variables: Variable[], functions: Functions): { saved: Uint8Array, trackable: Uint8Array } {
  const nodes: Node[] = [], concrete: Field[] = []
  const add = (kind: Field, children: Node['children'] = [], variable?: Variable) => nodes.push({ kind, children, variable }) - 1
  const object = (identifier: string, metadata?: string): Field => nested(4, text(1, identifier),
    nested(2, int(1, 1), int(2, 1)), metadata !== undefined && text(3, metadata))
  const listOf = (ids: number[]) => add(object('trackable_list_wrapper'), ids.map((id, i) => [String(i), id]))
  const callable = (names: string[], spec: Uint8Array) =>
    add(nested(6, ...names.map(name => text(1, name)), bytes(2, spec)))
  const define = (signature: Signature, input: Structure, output: Structure, bound: number[]) =>
    concrete.push(entry(2, signature.name, message(ints(2, bound), bytes(3, input), bytes(4, output))))

  const root = add(object('_generic_user_object', writerMark))
  const ids = variables.map(each => add(variableKind(each), [], each))
  const { inference, training, serve, signature, penalties } = functions
  const inputs = tensors(inference.inputs), outputs = tensors(inference.outputs), byName = (specs: typeof inference.inputs) =>
    dictionary(Object.fromEntries(specs.map(spec => [spec.name, tensorSpec(spec)])))
  define(inference, call([inputs, flag(false)]), outputs, ids)
  define(training, call([inputs, flag(true)]), outputs, ids)
  define(serve, call([inputs]), outputs, ids)
  define(signature, call([], byName(signature.inputs)), byName(signature.outputs), ids)
  for (const { signature: penalty, variable } of penalties) define(penalty, call([]), tensors(penalty.outputs), [ids[variable]])
  const losses = penalties.map(({ signature: { name } }) => callable([name], functionSpec([])))
  const keywords = signature.inputs.map(({ name }) => name)
  const bare = add(nested(8, text(1, signature.name), ...keywords.map(keyword => text(2, keyword)), int(3, 0),
    bytes(4, functionSpec([], { keywords }))))
  nodes[root].children = [
    ['variables', listOf(ids)],
    ['trainable_variables', listOf(ids.filter((_, i) => variables[i].trainable))],
    ['regularization_losses', listOf(losses)],
    ['__call__', callable([inference.name, training.name], functionSpec(['inputs', 'training'], { defaults: [flag(false)] }))],
    ['serve', callable([serve.name], functionSpec(['inputs']))],
    ['signatures', add(object('signature_map'), [['serving_default', bare]])],
  ]
  return {
    saved: message(...nodes.map(({ children, kind }) => nested(1, ...children.map(childField), kind)), ...concrete),
    trackable: message(...nodes.map(({ children, variable }) => nested(1, ...children.map(childField), variable && nested(2,
      text(1, 'VARIABLE_VALUE'), text(2, variable.name), text(3, variable.key))))),
  }
}

/** Arguments of a call, by position and by keyword. */
const call = (args: Structure[], keywords = dictionary({})): Structure => tuple([tuple(args), keywords])

const childField = ([name, id]: [string, number]): Field => nested(1, int(1, id), text(2, name))

const variableKind = ({ name, shape, trainable }: Variable): Field =>
  nested(7, int(1, dtypes.float32), bytes(2, shapeProto(shape)), bool(3, trainable), text(6, name))
