import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { readBytes } from '../save/load.ts'
import { decodeTree } from '../save/formats/format.ts'
import { formatOf } from '../save/formats/index.ts'
import { getNames } from '../save/formats/names.ts'
import { readManifest } from '../save/formats/tfjs.ts'
import { find, type Dataset, type Group } from '../save/hdf5/tree.ts'
import { isObject, type Json } from '../save/keras/types.ts'
import { parse, readNote, type Note } from '../save/note.ts'
import { readZip } from '../save/zip.ts'
import { leavesOf, type Leaf } from './leaves.ts'
import { readOnnx } from './onnx.ts'
import { innermost, placeOf, projectionOf, weightNames } from './weight-names.ts'

/** A weight in a file; without its numbers where only the outline was read. */
export interface FileWeight extends Dataset {
  /** The weight's own name in its layer, as Keras calls it, or its number where that is not known. */
  name: string
  /** As the file has it. */
  path: string
}

/** A layer in a file, with its weights in the file's order. Layers of models within the model stand for themselves. */
export interface FileLayer {
  name: string
  /** Its class; empty where the file holds weights alone. */
  kind: string
  frozen: boolean
  weights: FileWeight[]
}

/** What a model's file holds, whatever its format. */
export interface Contents {
  path: string
  /** `.h5`, `.keras`, `.weights.h5`, `.json` or `.onnx`. */
  format: string
  bytes: number
  sha256: string
  /** Who wrote it, as far as it tells. */
  writer: string
  /** The model's name and class; `null` where the file holds weights alone. */
  model: string | null
  layers: FileLayer[]
  /** All weights with their whole paths, in the order of the file; empty where it tells none. */
  stored: (Dataset & { path: string })[]
  /** What the model was compiled with; `null` where it was not. */
  training: { optimizer: string; settings: { [key: string]: Json }; loss: Json; metrics: Json; numbers: number } | null
  note: Note | undefined
  /** What else stands in it, by name. */
  more: [name: string, value: string][]
}

/** Reads a file, with or without the numbers of its weights. Nothing is built, and nothing in it is run. */
export async function readContents(from: string, outline: boolean): Promise<Contents> {
  const { path, format } = formatOf(from, 'load'), { signal } = host()
  const fail = (why: string) => new GraftError(`cannot read ${path}: ${why}`)
  const bytes = await readBytes(path)
  const known = { path, format: format.extension, bytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex') }
  if (format.begins && !format.begins.bytes.equals(bytes.subarray(0, format.begins.bytes.length)))
    throw fail(`it is ${bytes.length ? `not ${format.begins.what}` : 'empty'}.`)
  try {
    switch (format.extension) {
      case '.h5': return { ...known, ...fromH5(await decodeTree(bytes, signal, outline)) }
      case '.weights.h5': return { ...known, ...fromVars(await decodeTree(bytes, signal, outline), undefined) }
      case '.keras': return { ...known, ...await fromKeras(bytes, outline, signal) }
      case '.json': return { ...known, ...await fromJson(bytes, path) }
      case 'saved_model.pb': throw new GraftError('a SavedModel holds operations, no configuration of layers. ' +
        'hub.load(folder) opens it as layers.')
      default: return { ...known, ...readOnnx(bytes, outline) }
    }
  } catch (error) {
    throw error instanceof GraftError ? fail(error.message) : fail(`the file is damaged (${(error as Error).message}).`)
  }
}

type Rest = Omit<Contents, 'path' | 'format' | 'bytes' | 'sha256'>

function fromH5(root: Group): Rest {
  const stored = root.groups.get('model_weights') ?? root, names = getNames(stored, 'layer_names')
  const config = parse(root.attributes.get('model_config')), note = readNote(root.attributes.get('graft'))
  if (!names) {
    if (root.groups.has('layers')) return fromVars(root, undefined)
    throw new GraftError('it is an HDF5 file, but not a Keras model: it lists no layers (layer_names).')
  }
  const place = placing(leavesOf(config)), all: Rest['stored'] = []
  for (const layer of names) {
    let at: Group | undefined = stored
    for (const part of layer.split('/')) at = at?.groups.get(part)
    for (const path of (at && getNames(at, 'weight_names')) ?? []) {
      const dataset = find(at!, path)
      if (!dataset) throw new GraftError(`it lacks the weight '${path}' of layer '${layer}'.`)
      place.put(layer, path, dataset)
      all.push({ ...dataset, path })
    }
  }
  const version = root.attributes.get('keras_version') ?? stored.attributes.get('keras_version')
  const optimizer = root.groups.get('optimizer_weights') ?? root.groups.get('graft_optimizer_weights')
  return {
    writer: writerOf(note, version), model: nameOf(config), layers: place.layers, stored: all, note, more: [],
    training: trainingOf(parse(root.attributes.get('training_config')), optimizer
      ? getNames(optimizer, 'weight_names')?.length ?? 0 : 0),
  }
}

/** Keras 3's numbered groups; which layer a group is, the configuration tells, else its attribute `name`. */
function fromVars(root: Group, config: Json | undefined): Rest {
  const leaves = leavesOf(config), place = placing(leaves)
  const byPath = new Map(leaves.map(leaf => [leaf.group, leaf]))
  const visit = (group: Group, path: string, owner: string, kind: string, settings: { [key: string]: Json }, part?: string) => {
    const known = byPath.get(path), leaf = known?.name ?? owner, named = group.attributes.get('name')
    const name = leaves.length || typeof named !== 'string' ? leaf : named
    const own = part ? weightNames('Dense', {}, group.datasets.size) : weightNames(kind, settings, group.datasets.size)
    for (const [i, [key, dataset]] of [...group.datasets].sort(([a], [b]) => Number(a) - Number(b)).entries()) {
      place.put(name, key, dataset, /^\d+$/.test(key) ? (part ? `${part}/` : '') + own[i] : key)
    }
    const inner = [...group.groups].sort(([a], [b]) => placeOf(a) - placeOf(b))
    for (const [key, child] of inner) {
      const at = path ? `${path}/${key}` : key, next = byPath.get(at)
      // Without a configuration a layer is known by its folder.
      const told = path.endsWith('layers') ? { kind: key, config: {} } : innermost(kind, settings)
      const within = key === 'vars' ? { kind, config: settings } : next ?? told
      const side = projectionOf(key) ?? (key === 'vars' ? part : undefined)
      visit(child, at, leaf || (leaves.length ? '' : key), within.kind, within.config, side)
    }
  }
  const layers = root.groups.get('layers') ?? root.groups.get('_layer_checkpoint_dependencies')
  if (!layers) throw new GraftError("it holds no weights in the layout of Keras 3 ('layers').")
  for (const [key, child] of layers.groups) {
    const leaf = byPath.get(`layers/${key}`)
    visit(child, `layers/${key}`, leaf?.name ?? key, leaf?.kind ?? key, leaf?.config ?? {})
  }
  const note = readNote(root.attributes.get('graft'))
  const stored = leaves.length ? place.layers.flatMap(({ weights }) => weights) : []
  return { writer: writerOf(note, undefined), model: nameOf(config), layers: place.layers, stored, training: null, note,
    more: [] }
}

async function fromKeras(bytes: Uint8Array<ArrayBuffer>, outline: boolean, signal: AbortSignal): Promise<Rest> {
  const members = readZip(bytes), text = (name: string) => members.has(name) ? Buffer.from(members.get(name)!).toString('utf8')
    : undefined
  const config = parse(text('config.json')), weights = members.get('model.weights.h5'), metadata = parse(text('metadata.json'))
  if (!isObject(config) || !weights) throw new GraftError('it is a zip archive, but not a Keras model.')
  const root = await decodeTree(weights, signal, outline), note = readNote(text('graft.json'))
  const numbers = root.groups.get('optimizer')?.groups.get('vars')?.datasets.size ?? 0
  const known = isObject(metadata) ? metadata : {}
  return {
    ...fromVars(root, config), note, writer: writerOf(note, known.keras_version),
    training: trainingOf(config.compile_config, numbers),
    more: typeof known.date_saved === 'string' ? [['Saved', known.date_saved.replace('@', ' ')]] : [],
  }
}

async function fromJson(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Rest> {
  const json = parse(Buffer.from(bytes).toString('utf8'))
  if (!isObject(json) ||
    !isObject(json.modelTopology)) throw new GraftError('it is no model.json of TensorFlow.js (modelTopology).')
  const topology = json.modelTopology, config = isObject(topology.model_config) ? topology.model_config : topology
  const { model, optimizer, shards } = await readManifest(json.weightsManifest, dirname(path))
  const place = placing(leavesOf(config))
  for (const [name, dataset] of model) place.put(name.split('/')[0], name, dataset)
  const graft = isObject(json.userDefinedMetadata) ? json.userDefinedMetadata.graft : undefined
  const note = graft ? readNote(JSON.stringify(graft)) : undefined
  return {
    writer: note ? writerOf(note, undefined) : String(json.generatedBy ?? topology.keras_version ?? ''), model: nameOf(config),
    layers: place.layers, stored: [...model].map(([path, dataset]) => ({ ...dataset, path })), note,
    training: trainingOf(json.trainingConfig ?? topology.training_config, optimizer.size),
    more: [['Shards', String(shards)]],
  }
}

/** Gives each weight to the layer whose name stands last in its path. */
function placing(leaves: Leaf[]) {
  const layers: FileLayer[] = leaves.map(({ name, kind, frozen }) => ({ name, kind, frozen, weights: [] }))
  const known = new Map(layers.map(layer => [layer.name, layer]))
  return {
    layers,
    /** `called` is the weight's name where its path does not tell it; the layer is the owner then. */
    put(layer: string, path: string, dataset: Dataset, called?: string) {
      const parts = path.replace(/:\d+$/, '').split('/')
      const owner = called !== undefined ? layer : parts.slice(0, -1).findLast(part => known.has(part)) ?? layer
      let found = known.get(owner)
      if (!found) {
        found = { name: owner, kind: '', frozen: false, weights: [] }
        layers.push(found)
        known.set(owner, found)
      }
      // Both directions of a Bidirectional call theirs alike.
      const part = projectionOf(parts.at(-2) ?? ''), own = called ?? (part ? `${part}/` : '') + parts.at(-1)!
      const again = found.weights.filter(({ name }) => name === own || name.startsWith(`${own}_`)).length
      found.weights.push({ ...dataset, path, name: again && found.weights.some(({ name }) => name === own) ? `${own}_${again}`
        : own })
    },
  }
}

const nameOf = (config: Json | undefined): string | null =>
  isObject(config) ? `${isObject(config.config) ? String(config.config.name) : ''} (${String(config.class_name)})` : null

const writerOf = (note: Note | undefined, version: unknown): string =>
  note ? `Graft ${note.version}` : version === undefined ? 'not told' : `Keras ${String(version)}`

function trainingOf(config: Json | undefined, numbers: number): Contents['training'] {
  if (!isObject(config)) return null
  const optimizer = config.optimizer ?? config.optimizer_config ?? null
  return {
    optimizer: isObject(optimizer) ? String(optimizer.class_name).replace(/^.*>/, '') : String(optimizer),
    settings: isObject(optimizer) && isObject(optimizer.config) ? optimizer.config : {},
    loss: config.loss ?? null, metrics: config.metrics ?? null, numbers,
  }
}
