import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { WireType } from '@bufbuild/protobuf/wire'
import { GraftError } from '../error.ts'
import { type NodeDef, readNode } from './node-def.ts'
import { readEntry, readMessage, readRepeated, text } from './proto.ts'
import { readStructure, type Structure } from './structure.ts'

/** A function of the library, its body decoded only when it is asked for: a model has hundreds and uses a few dozen. */
export interface FunctionDef {
  name: string
  /** Names of the arguments: the callable's tensors, then its captures. */
  args: string[]
  /** Names of the results, in order. */
  results: string[]
  nodes(): NodeDef[]
  /** From a result's name to `node:output:index` or an argument's name. */
  returns: Map<string, string>
}

/** A TF1 signature: names of tensors (`node:0`) in the main graph. */
export interface Signature {
  inputs: Map<string, TensorInfo>
  outputs: Map<string, TensorInfo>
  method: string
}
export interface TensorInfo { name: string, dtype: number, shape: Uint8Array }

/** One node of the object graph that `tf.saved_model.save` writes. */
export interface SavedObject {
  children: Map<string, number>
  kind: 'object' | 'asset' | 'function' | 'variable' | 'bare function' | 'constant' | 'resource' | 'captured' | 'none'
  /** `object`: the identifier of its class, e.g. `_tf_keras_layer`. */
  identifier?: string
  /** `object`: Keras's JSON, in files from before `keras_metadata.pb`. */
  metadata?: string
  /** `function`: its traces; `bare function`: its only one. */
  concrete?: string[]
  /** `function`: the signature of the Python function. */
  argspec?: Structure
  /** `bare function`: the argument's names. */
  keywords?: string[]
  /** `variable`. */
  variable?: { name: string, trainable: boolean, dtype: number }
  /** `constant`: the node of the main graph that holds it. */
  operation?: string
}

/** A trace: which objects its captured arguments are, and the structure of its own. */
export interface ConcreteFunction { name: string, bound: number[], input?: Structure, output?: Structure }

/** What the root of the object graph says in the SavedModels that Graft writes. */
export const writerMark = JSON.stringify({ writer: 'graft' })

/** Where these keep the model's card: TensorFlow leaves the folder `assets.extra` to others. */
export const noteFile = 'assets.extra/graft.json'

/** A `saved_model.pb`, read as far as models need it. */
export interface SavedModel {
  folder: string
  tags: string[]
  /** The version of TensorFlow that wrote it. */
  version: string
  nodes(): NodeDef[]
  functions: Map<string, FunctionDef>
  signatures: Map<string, Signature>
  objects: SavedObject[]
  concrete: Map<string, ConcreteFunction>
  /** TF1 hub format has a `tfhub_module.pb` beside it and no object graph. */
  hub1: boolean
}

/**
 * Reads `folder/saved_model.pb` (TensorFlow's `saved_model.proto`). Of several meta graphs the one tagged `serve` is taken, then
 * the untagged one (TF1 hub format). Throws a GraftError where the folder holds no SavedModel or a damaged one.
 */
export async function readSavedModel(folder: string): Promise<SavedModel> {
  const file = join(folder, 'saved_model.pb')
  const bytes = await readFile(file).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw new GraftError(`cannot read ${file}: ${error.message}.`)
    throw new GraftError(await explainMissing(folder))
  })
  try {
    const graphs: Uint8Array[] = []
    readMessage(bytes, { 2: r => { graphs.push(r.bytes()) } })
    if (!graphs.length) throw new RangeError('it holds no graph')
    const models = graphs.map(graph => readMetaGraph(graph, folder))
    const model = models.find(m => m.tags.includes('serve')) ?? models.find(m => !m.tags.length) ?? models[0]
    model.hub1 = await exists(join(folder, 'tfhub_module.pb'))
    return model
  } catch (error) {
    if (error instanceof GraftError) throw error
    throw new GraftError(
      `${file} is damaged: ${(error as Error).message}. Download it anew, or open an intact copy with hub.load('./folder').`,
    )
  }
}

async function explainMissing(folder: string): Promise<string> {
  const info = await stat(folder).catch(() => null)
  const expected = 'Expected a folder with saved_model.pb and variables/; open another one with hub.load(\'./folder\').'
  if (!info) return `no such folder: '${folder}'. ${expected}`
  if (await exists(join(folder, 'saved_model.pbtxt')))
    return `'${folder}' holds a SavedModel as text (saved_model.pbtxt). ${expected}`
  if (await exists(join(folder, 'model.json')))
    return `'${folder}' holds a TensorFlow.js model (model.json), not a SavedModel. ${expected}`
  return `not a SavedModel: '${folder}' has no saved_model.pb. ${expected}`
}

const exists = (path: string) => stat(path).then(() => true, () => false)

function readMetaGraph(bytes: Uint8Array, folder: string): SavedModel {
  const model: SavedModel = {
    folder,
    tags: [],
    version: '',
    nodes: () => [],
    functions: new Map(),
    signatures: new Map(),
    objects: [],
    concrete: new Map(),
    hub1: false,
  }
  readMessage(bytes, {
    1: r => readMessage(r.bytes(), { 4: m => { model.tags.push(m.string()) }, 5: m => { model.version = m.string() } }),
    2: r => {
      const nodes: Uint8Array[] = []
      readMessage(r.bytes(), {
        1: g => { nodes.push(g.bytes()) },
        2: g => readMessage(g.bytes(), { 1: f => { const fn = readFunction(f.bytes()); model.functions.set(fn.name, fn) } }),
      })
      model.nodes = once(() => nodes.map(readNode))
    },
    5: r => {
      const [key, value] = readEntry(r.bytes())
      model.signatures.set(key, readSignature(value))
    },
    7: r => readMessage(r.bytes(), {
      1: o => { model.objects.push(readObject(o.bytes())) },
      2: o => {
        const [name, value] = readEntry(o.bytes())
        model.concrete.set(name, readConcrete(name, value))
      },
    }),
  })
  return model
}

function readFunction(bytes: Uint8Array): FunctionDef {
  const nodes: Uint8Array[] = []
  const fn: FunctionDef = { name: '', args: [], results: [], returns: new Map(), nodes: once(() => nodes.map(readNode)) }
  const argName = (arg: Uint8Array) => {
    let name = ''
    readMessage(arg, { 1: r => { name = r.string() } })
    return name
  }
  readMessage(bytes, {
    1: r => readMessage(r.bytes(), {
      1: s => { fn.name = s.string() },
      2: s => { fn.args.push(argName(s.bytes())) },
      3: s => { fn.results.push(argName(s.bytes())) },
    }),
    3: r => { nodes.push(r.bytes()) },
    4: r => {
      const [key, value] = readEntry(r.bytes())
      fn.returns.set(key, text(value))
    },
  })
  return fn
}

function readSignature(bytes: Uint8Array): Signature {
  const signature: Signature = { inputs: new Map(), outputs: new Map(), method: '' }
  const info = (value: Uint8Array): TensorInfo => {
    const out: TensorInfo = { name: '', dtype: 1, shape: new Uint8Array() }
    readMessage(value, {
      1: r => {
        out.name = r.string()
      },
      2: r => {
        out.dtype = r.int32()
      },
      3: r => {
        out.shape = r.bytes()
      },
    })
    return out
  }
  readMessage(bytes, {
    1: r => { const [key, value] = readEntry(r.bytes()); signature.inputs.set(key, info(value)) },
    2: r => { const [key, value] = readEntry(r.bytes()); signature.outputs.set(key, info(value)) },
    3: r => { signature.method = r.string() },
  })
  return signature
}

function readObject(bytes: Uint8Array): SavedObject {
  const object: SavedObject = { children: new Map(), kind: 'none' }
  readMessage(bytes, {
    1: r => {
      let id = 0, name = ''
      readMessage(r.bytes(), { 1: c => { id = c.int32() }, 2: c => { name = c.string() } })
      object.children.set(name, id)
    },
    4: r => {
      object.kind = 'object'
      readMessage(r.bytes(), { 1: o => { object.identifier = o.string() }, 3: o => { object.metadata = o.string() } })
    },
    5: r => { object.kind = 'asset'; r.bytes() },
    6: r => {
      object.kind = 'function'
      object.concrete = []
      readMessage(r.bytes(), {
        1: f => { object.concrete!.push(f.string()) },
        2: f => readMessage(f.bytes(), { 1: s => { object.argspec = readStructure(s.bytes()) } }),
      })
    },
    7: r => {
      object.kind = 'variable'
      const variable = { name: '', trainable: false, dtype: 1 }
      object.variable = variable
      readMessage(r.bytes(), {
        1: v => { variable.dtype = v.int32() }, 3: v => { variable.trainable = v.bool() }, 6: v => { variable.name = v.string() },
      })
    },
    8: r => {
      object.kind = 'bare function'
      object.keywords = []
      readMessage(r.bytes(), { 1: f => { object.concrete = [f.string()] }, 2: f => { object.keywords!.push(f.string()) } })
    },
    9: r => {
      object.kind = 'constant'
      readMessage(r.bytes(), { 1: c => { object.operation = c.string() } })
    },
    10: r => { object.kind = 'resource'; r.bytes() },
    12: r => { object.kind = 'captured'; r.bytes() },
  })
  return object
}

function readConcrete(name: string, bytes: Uint8Array): ConcreteFunction {
  const concrete: ConcreteFunction = { name, bound: [] }
  readMessage(bytes, {
    2: (r, wire: WireType) => readRepeated(r, wire, b => b.int32(), concrete.bound),
    3: r => { concrete.input = readStructure(r.bytes()) },
    4: r => { concrete.output = readStructure(r.bytes()) },
  })
  return concrete
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
