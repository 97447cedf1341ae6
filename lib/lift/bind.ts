import { GraftError } from '../error.ts'
import type { Checkpoint } from '../hub/checkpoint.ts'
import { type NodeDef, readAttr } from '../hub/node-def.ts'
import type { ConcreteFunction, SavedModel } from '../hub/saved-model.ts'
import type { Callable, CallableInput } from './callable.ts'
import { constantValue, Graph, Node, type Value } from './graph.ts'
import type { PenaltyFunction } from './penalties.ts'
import { noTraining, type TrainingFacts, trainingFacts } from './training.ts'

/** The flat graph of a callable: its image input, its results by name, and the variables it reads. */
export interface BoundGraph {
  /** What the trace for training adds, where there is one. */
  training: TrainingFacts
  input: Node
  shape: (number | null)[]
  outputs: { name: string, value: Value }[]
  variables: Node[]
  /** What weights add to the loss in training. */
  penalties: PenaltyFunction[]
}

/** Inlines the callable and ties each captured argument to the object it stands for. */
export async function bind(model: SavedModel, callable: Callable, checkpoint: Checkpoint | null): Promise<BoundGraph> {
  const image = callable.inputs.find(input => input.value === undefined)!
  const shape = (image.shape ?? [-1, -1, -1, 3]).map(size => size === -1 ? null : size)
  const input = new Node('Placeholder', image.name, []), variables = new Map<string, Node>()
  if (!callable.concrete) {
    const outputs = bindMainGraph(model, callable, checkpoint, input, variables)
    return { input, shape, outputs, variables: [...variables.values()], training: noTraining, penalties: [] }
  }
  const keys = await checkpointKeys(model, checkpoint)
  const args = argumentsOf(model, callable.inputs, callable.concrete, keys, input, variables)
  const results = new Graph(model).call(callable.concrete.name, args),
    names = model.functions.get(callable.concrete.name)!.results
  const outputs = results.map((value, i) => ({ name: names[i].replace(/^identity(_\d+)?$/, 'output$1'), value }))
  let training = noTraining
  if (callable.training) {
    const { concrete, inputs } = callable.training, graph = new Graph(model, { assignments: true })
    const ends = graph.call(
      concrete.name,
      argumentsOf(model, inputs, concrete, keys, new Node('Placeholder', image.name, []), new Map()),
    )
    training = trainingFacts(ends, graph.assignments)
  }
  const penalties = penaltyFunctions(model, keys, variables)
  return { input, shape, outputs, variables: [...variables.values()], training, penalties }
}

/** The losses of a model that are functions of one of its variables, where Keras and TensorFlow Hub keep them. */
function penaltyFunctions(model: SavedModel, keys: Map<number, string>, variables: Map<string, Node>): PenaltyFunction[] {
  const list = model.objects[model.objects[0]?.children.get('regularization_losses') ?? -1], found: PenaltyFunction[] = []
  for (const id of list?.children.values() ?? []) {
    const concrete = model.concrete.get(model.objects[id]?.concrete?.[0] ?? '')
    const node = variables.get(keys.get(concrete?.bound[0] ?? -1) ?? '')
    if (concrete?.bound.length !== 1 || !node || model.functions.get(concrete.name)?.args.length !== 1) continue
    found.push({ variable: node, value: new Graph(model).call(concrete.name, [{ node, index: 0 }])[0] })
  }
  return found
}

function argumentsOf(
  model: SavedModel,
  inputs: CallableInput[],
  concrete: ConcreteFunction,
  keys: Map<number, string>,
  input: Node,
  variables: Map<string, Node>,
): Value[] {
  const args: Value[] = inputs.map(({ name, dtype, value }) =>
    value === undefined ? { node: input, index: 0 } : constantValue(name, { dtype, shape: [], data: Float32Array.of(value) }),
  )
  let constants: Map<string, NodeDef> | undefined
  for (const id of concrete.bound) {
    const object = model.objects[id]
    if (object?.kind === 'variable')
      args.push(variable(object.variable!.name, keys.get(id), object.variable!.trainable, variables))
    else if (object?.kind === 'constant') {
      constants ??= new Map(model.nodes().map(def => [def.name, def]))
      const def = constants.get(object.operation!),
        tensor = def && readAttr(def, 'value').tensor
      if (!tensor) throw new GraftError(`the model refers to constant '${object.operation}', which its graph does not hold.`)
      args.push(constantValue(object.operation!, tensor))
    } else args.push({ node: new Node(`captured ${object?.kind ?? 'nothing'}`, `capture_${id}`, []), index: 0 })
  }
  return args
}

function variable(name: string, key: string | undefined, trainable: boolean, variables: Map<string, Node>): Value {
  if (key === undefined) throw new GraftError(`variable '${name}' of the model is not in its checkpoint.`)
  let node = variables.get(key)
  if (!node) {
    variables.set(key, node = new Node('Variable', name, []))
    node.variable = { key, name, trainable }
    node.trained = true
  }
  return { node, index: 0 }
}

/** From object ids to checkpoint keys, by walking the SavedModel's object graph and the checkpoint's together. */
async function checkpointKeys(model: SavedModel, checkpoint: Checkpoint | null): Promise<Map<number, string>> {
  const saved = await checkpoint?.objects(), keys = new Map<number, string>()
  if (!saved) return keys
  const queue: [number, number][] = [[0, 0]], seen = new Set([0])
  for (const [id, at] of queue) {
    const object = model.objects[id], twin = saved[at]
    if (!object || !twin) continue
    const key = twin.keys.get('VARIABLE_VALUE')
    if (object.kind === 'variable' && key !== undefined) keys.set(id, key)
    for (const [name, child] of object.children) {
      const other = twin.children.get(name)
      if (other === undefined || seen.has(child)) continue
      seen.add(child)
      queue.push([child, other])
    }
  }
  return keys
}

/** TF1: the main graph holds the operations and names its variables as the checkpoint does. */
function bindMainGraph(
  model: SavedModel,
  callable: Callable,
  checkpoint: Checkpoint | null,
  input: Node,
  variables: Map<string, Node>,
) {
  const defs = model.nodes(),
    known = new Map<string, Value>()
  const image = callable.inputs.find(i => i.value === undefined)!.tensor!.split(':')[0]
  known.set(image, { node: input, index: 0 })
  for (const def of defs) {
    if (!/^(VarHandleOp|VariableV2|Variable)$/.test(def.op)) continue
    if (checkpoint?.has(def.name)) known.set(def.name, variable(def.name, def.name, true, variables))
  }
  const outputs = callable.outputs!
  const values = new Graph(model).expand(
    defs,
    known,
    outputs.map(output => output.tensor),
  )
  return outputs.map(({ name }, i) => ({ name, value: values[i] }))
}
