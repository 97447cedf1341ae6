import type { LayersModel } from '@tensorflow/tfjs'
import { graphOf, type Edge, type Graph } from '../../engine/graph.ts'
import { GraftError } from '../../error.ts'
import type { Parts } from '../disk.ts'
import { Body, shortName, Unsupported, type Value } from './body.ts'
import { writeBundle } from './bundle.ts'
import { forwarding, functionDef, type Handle, inputName, type Spec } from './functions.ts'
import { mainGraph, mainOp } from './main-graph.ts'
import { bool, bytes, entry, int, message, nested, text } from './message.ts'
import { type Functions, objectGraphs, type Variable } from './objects.ts'
import { penaltiesOf, penaltyFunction } from './penalties.ts'
import { rules } from './rules/index.ts'

type Weight = LayersModel['weights'][number]

/** A SavedModel's files by their paths in its folder, and the layers that it does not hold since they act in training alone. */
export interface Written {
  files: Map<string, Parts>
  leftOut: string[]
}

/** The TensorFlow whose form is written, which all after it read; and the number of its graphs' form (`TF_GRAPH_DEF_VERSION`). */
const version = '2.16.0', producer = 1882

/**
 * Writes a model as TensorFlow's SavedModel (`saved_model.proto`, with its graph of objects): functions for inference and for
 * training, the variables, and what restores them. `numbers` holds the values of the weights.
 *
 * @throws GraftError where a layer is not written as operations of TensorFlow, naming it
 */
export function writeSavedModel(model: LayersModel, numbers: Map<Weight, Float32Array>): Written {
  const graph = graphOf(model), { weights, variables } = variablesOf(graph)
  const handles = new Map(weights.map((weight, i) => [weight, { name: `variable_${i}`, shape: variables[i].shape }]))
  const penalties = penaltiesOf(graph.steps.filter(({ frozen }) => !frozen).map(({ layer }) => layer))
  const functions = signaturesOf(graph, penalties.map(({ weight }) => weights.indexOf(weight)))
  const inference = bodyOf(graph, handles, false), training = bodyOf(graph, handles, true), given = [...handles.values()]
  const library = [
    functionDef(functions.inference, given, inference.body.nodes, inference.results),
    functionDef(functions.training, given, training.body.nodes, training.results, training.body.assignments),
    forwarding(functions.serve, given, functions.inference.name, functions.serve),
    forwarding(functions.signature, given, functions.inference.name, functions.serve),
    ...penalties.map((penalty, i) => penaltyFunction(functions.penalties[i].signature, penalty)),
  ]
  const main = mainGraph(variables, functions.signature), objects = objectGraphs(variables, functions)
  const saved = message(int(1, 1), nested(2,
    nested(1, text(4, 'serve'), text(5, version), bool(7, true)),
    nested(2, ...main.nodes.map(node => bytes(1, node)), nested(2, ...library.map(each => bytes(1, each))),
      nested(4, int(1, producer))),
    bytes(3, main.saver),
    entry(4, 'saved_model_main_op', mainOp),
    ...[...main.signatures].map(([name, each]) => entry(5, name, each)),
    bytes(7, objects.saved)))
  const saving = variables.map(({ key, shape }, i) => ({ key, shape, data: numbers.get(weights[i])! }))
  const { index, data } = writeBundle(saving, objects.trackable)
  return {
    files: new Map([
      ['variables/variables.data-00000-of-00001', data], ['variables/variables.index', index], ['saved_model.pb', [saved]],
    ]),
    leftOut: [...inference.body.leftOut],
  }
}

/** The weights of all layers, each once, and the variables that they become. */
function variablesOf({ steps }: Graph): { weights: Weight[], variables: Variable[] } {
  const names = new Names(), owners = new Map(steps.flatMap(({ layer }) => layer.weights.map(weight => [weight, layer] as const)))
  const trained = new Set(steps.flatMap(({ layer, frozen }) => frozen ? [] : layer.trainableWeights))
  const variables = [...owners].map(([weight, layer], i): Variable => ({
    name: names.free(`${nodeName(layer.name)}/${shortName(weight)}`), shape: weight.shape as number[],
    trainable: trained.has(weight), key: `variables/${i}/.ATTRIBUTES/VARIABLE_VALUE`,
  }))
  return { weights: [...owners.keys()], variables }
}

/** What each function takes and gives: `inputs` and `outputs`, or the names of layers where there are several. */
function signaturesOf({ inputs, outputs }: Graph, penalized: number[]): Functions {
  // Python flattens dictionaries in the order of their keys.
  const byName = (specs: Spec[]) => specs.toSorted((a, b) => a.name < b.name ? -1 : 1)
  const own = (edges: Edge[]): Spec[] => edges.map(({ name, shape }) => ({ name: nodeName(name), shape }))
  const plain = (edges: Edge[], name: string): Spec[] => edges.length === 1 ? [{ name, shape: edges[0].shape }] : own(edges)
  // The layer of the image has its name from the function that is lifted.
  const called = { inputs: own(inputs), outputs: plain(outputs, 'outputs') }
  const served = { ...called, inputs: plain(inputs, 'inputs') }
  return {
    inference: { name: '__inference_call_0', ...called },
    training: { name: '__inference_call_1', ...called },
    serve: { name: '__inference_serve_2', ...served },
    signature: { name: '__inference_signature_wrapper_3', inputs: byName(served.inputs), outputs: byName(served.outputs) },
    penalties: penalized.map((variable, i) => ({
      signature: { name: `__inference_penalty_${i + 4}`, inputs: [], outputs: [{ name: 'penalty', shape: [] }] }, variable,
    })),
  }
}

/** The operations of all layers, for inference or for training, and the results. */
function bodyOf(graph: Graph, handles: Map<Weight, Handle>, training: boolean): { body: Body, results: Value[] } {
  const body = new Body(new Map([...handles].map(([weight, { name }]) => [weight, name])), training), names = new Names()
  const values = new Map<Edge, Value>(graph.inputs.map((edge, i) => [edge, { ref: inputName(i), shape: edge.shape }]))
  for (const step of graph.steps) {
    const { layer, inputs, outputs } = step, kind = layer.getClassName()
    const rule = Object.hasOwn(rules, kind) ? rules[kind] : undefined
    try {
      if (!rule) throw new Unsupported(`layers of class ${kind}`)
      body.enter(names.free(nodeName(layer.name)))
      const result = rule(body, layer, inputs.map(edge => values.get(edge)!), outputs[0].shape, step)
      const results = [result].flat()
      outputs.forEach((edge, i) => values.set(edge, { ...results[i], shape: edge.shape }))
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      throw new GraftError(`layer '${layer.name}': a SavedModel cannot be written with ${error.message}. Save as .keras instead.`)
    }
  }
  return { body, results: graph.outputs.map(edge => values.get(edge)!) }
}

/** A layer's name as TensorFlow allows it among the names of operations. */
const nodeName = (name: string): string => name.replace(/[^\w.\-/]/g, '_').replace(/^[^A-Za-z0-9.]/, '.$&')

/** Names that are given once each. */
class Names {
  readonly #taken = new Set<string>()

  free(wanted: string): string {
    let name = wanted
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`
    this.#taken.add(name)
    return name
  }
}
