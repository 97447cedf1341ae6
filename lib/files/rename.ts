import { dirname, join } from 'node:path'
import type { Group } from '../save/hdf5/tree.ts'
import { didYouMean, GraftError, inWords } from '../error.ts'
import { host } from '../host.ts'
import { checkOptions } from '../options.ts'
import { writeAtomically, type Placed } from '../save/atomic.ts'
import type { Parts } from '../save/disk.ts'
import { decodeTree } from '../save/formats/format.ts'
import { formatOf } from '../save/formats/index.ts'
import { getNames, putNames } from '../save/formats/names.ts'
import { checkHdf5, Hdf5Error, packHdf5 } from '../save/hdf5/index.ts'
import { isObject, type Json } from '../save/keras/types.ts'
import { readBytes } from '../save/load.ts'
import { ascii, parse, readNote } from '../save/note.ts'
import { readZip, writeZip } from '../save/zip.ts'
import { readContents, type Contents } from './contents.ts'
import { fingerprintOf } from './fingerprint.ts'

export interface RenameOptions {
  /** Where the renamed file goes. Default: in the place of the old one. */
  to?: string
}

type Names = Map<string, string>

/**
 * Gives layers of a model's file other names, wherever the file has them: configuration, connections, weights, Graft's note. The
 * numbers stay as they are, byte for byte. The file is written as {@link save} writes: whole or not at all.
 *
 * @param names New names by the old ones: `{ dense_3: 'head' }`. Layers of models within the model count too.
 * @throws GraftError for a name that no layer has, one that is taken, and a file that is neither `.h5`, `.keras` nor `model.json`
 * @example
 * await files.rename('model.h5', { predictions: 'head' }, { to: 'renamed.h5' })
 */
export async function rename(from: string, names: { [layer: string]: string }, options: RenameOptions = {}): Promise<Placed> {
  checkOptions<RenameOptions>('files.rename', options, { to: 'text' })
  const { path, format } = formatOf(from, 'load'), target = formatOf(options.to ?? from, 'save to')
  if (target.format !== format)
    throw new GraftError(`files.rename: ${target.path} is of another format than ${path}. Load and save it instead.`)
  const renamer = { '.h5': renameH5, '.keras': renameKeras, '.json': renameJson }[format.extension]
  if (!renamer)
    throw new GraftError(`files.rename: a ${format.extension} file holds no names of layers. ` +
      'Rename in the .keras or .h5 of the model.')
  const before = await readContents(path, false), wanted = checkNames(before, names)
  const { parts, check, beside } = await renamer(await readBytes(path), wanted, before, target.path)
  return writeAtomically(target.path, parts, { check, beside, signal: host().signal })
}

interface Renamed {
  parts: Parts
  check: () => Promise<void>
  beside?: Map<string, Parts>
}

function checkNames({ layers }: Contents, names: { [layer: string]: string }): Names {
  if (typeof names !== 'object' || names === null)
    throw new GraftError(`files.rename: expected { old: 'new' }; received ${inWords(names)}.`)
  const known = new Set(layers.map(({ name }) => name)), all = Object.entries(names)
  const after = new Set([...known].filter(name => !Object.hasOwn(names, name)))
  for (const [old, name] of all) {
    if (!known.has(old)) throw new GraftError(`files.rename: no layer is named '${old}'.${didYouMean(old, known)}`)
    if (typeof name !== 'string' || !/^[A-Za-z0-9][\w.\-]*$/.test(name))
      throw new GraftError(`files.rename: a layer's name is of letters, digits, '_', '.' and '-'; received ${inWords(name)}.`)
    if (after.has(name)) throw new GraftError(`files.rename: '${name}' is the name of another layer.`)
    after.add(name)
  }
  return new Map(all)
}

async function renameH5(bytes: Uint8Array<ArrayBuffer>, names: Names, before: Contents): Promise<Renamed> {
  const root = await decodeTree(bytes, host().signal)
  const config = parse(root.attributes.get('model_config'))
  if (isObject(config)) root.attributes.set('model_config', ascii(renameConfig(config, names)))
  const stored = root.groups.get('model_weights') ?? root, layers = getNames(stored, 'layer_names') ?? []
  for (const layer of layers) {
    const at = stored.groups.get(layer)!, paths = getNames(at, 'weight_names') ?? []
    if (paths.length) setNames(at, 'weight_names', paths.map(path => renamePath(path, names)))
    renameGroups(at, names)
  }
  setNames(stored, 'layer_names', layers.map(layer => names.get(layer) ?? layer))
  renameGroups(stored, names, false)
  const after = { ...before, stored: before.stored.map(each => ({ ...each, path: renamePath(each.path, names) })) }
  const note = renameNote(readNote(root.attributes.get('graft')), names, after)
  if (note) root.attributes.set('graft', ascii(note))
  const packed = await packWhole(root)
  return { parts: packed, check: async () => wrong(await checkHdf5(packed, root, host().signal)) }
}

async function renameKeras(bytes: Uint8Array<ArrayBuffer>, names: Names, before: Contents): Promise<Renamed> {
  const members = readZip(bytes), text = (name: string) => parse(Buffer.from(members.get(name) ?? []).toString('utf8'))
  const root = await decodeTree(members.get('model.weights.h5')!, host().signal),
    note = renameNote(readNote(JSON.stringify(text('graft.json') ?? null)), names, before)
  renameAttributes(root, names)
  const put = (name: string, value: unknown) => members.set(name, new Uint8Array(Buffer.from(ascii(value), 'utf8')))
  put('config.json', renameConfig(text('config.json') as Json, names))
  if (note) put('graft.json', note)
  const packed = await packWhole(root)
  const parts = writeZip(new Map<string, Uint8Array | Parts>([...members, ['model.weights.h5', packed]]))
  return { parts, check: async () => wrong(await checkHdf5(packed, root, host().signal)) }
}

async function renameJson(bytes: Uint8Array<ArrayBuffer>, names: Names, before: Contents, target: string): Promise<Renamed> {
  const json = JSON.parse(Buffer.from(bytes).toString('utf8')) as { [key: string]: Json }
  json.modelTopology = renameConfig(json.modelTopology, names)
  const groups = json.weightsManifest as { paths: string[]; weights: { name: string }[] }[]
  for (const { weights } of groups) for (const weight of weights) weight.name = renamePath(weight.name, names)
  const graft = isObject(json.userDefinedMetadata) ? json.userDefinedMetadata : undefined
  const after = { ...before, stored: before.stored.map(each => ({ ...each, path: renamePath(each.path, names) })) }
  const note = graft && renameNote(readNote(JSON.stringify(graft.graft ?? null)), names, after)
  if (note) graft.graft = note as unknown as Json
  const beside = new Map<string, Parts>()
  if (dirname(target) !== dirname(before.path))
    for (const path of groups.flatMap(({ paths }) => paths)) beside.set(path, [await readBytes(join(dirname(before.path), path))])
  return { parts: [new Uint8Array(Buffer.from(JSON.stringify(json), 'utf8'))], check: async () => {}, beside }
}

/** Packs what was read, where nothing of it would be lost. */
async function packWhole(root: Group): Promise<Parts> {
  const lost = (why: string) =>
    new GraftError(`files.rename: the file holds ${why}, which would be lost. Load the model and save it instead.`)
  if (root.skipped) throw lost(`${root.skipped} entries of a type that is not known here`)
  return packHdf5(root, host().signal).catch(error => {
    throw error instanceof Hdf5Error ? lost(error.message) : error
  })
}

function wrong(what: string | undefined): void {
  if (what) throw new GraftError(`${what} was not read back as it was written. Nothing was changed.`)
}

/** `dense/kernel:0` → `head/kernel:0`; the weight's own name stays. */
const renamePath = (path: string, names: Names): string => {
  const parts = path.split('/')
  return parts.map((part, i) => i < parts.length - 1 ? names.get(part) ?? part : part).join('/')
}

/** A layer's names, in the old and the new way of lists. */
function setNames(group: Group, name: string, values: string[]): void {
  const parts = new RegExp(`^${name}\\d*$`)
  for (const key of [...group.attributes.keys()]) if (parts.test(key)) group.attributes.delete(key)
  putNames(group, name, values)
}

function renameGroups(group: Group, names: Names, deep = true): void {
  const children = [...group.groups]
  group.groups.clear()
  for (const [key, child] of children) {
    if (deep) renameGroups(child, names)
    group.groups.set(names.get(key) ?? key, child)
  }
}

/** Keras 3 writes a layer's name beside its numbered weights. */
function renameAttributes(group: Group, names: Names): void {
  const name = group.attributes.get('name')
  if (typeof name === 'string' && names.has(name)) group.attributes.set('name', names.get(name)!)
  for (const [key, child] of group.groups) if (key !== 'optimizer') renameAttributes(child, names)
}

/** Names stand in a layer's `name`, in its configuration, and where another layer, an input or an output refers to it. */
function renameConfig(value: Json, names: Names): Json {
  const text = (each: Json): Json => typeof each === 'string' ? names.get(each) ?? each : each
  const reference = (each: Json): Json =>
    Array.isArray(each) && typeof each[0] === 'string' && typeof each[1] === 'number' ? [text(each[0]), ...each.slice(1)]
      : Array.isArray(each) ? each.map(reference)
      : isObject(each) ? Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, reference(inner)])) : each
  if (Array.isArray(value)) return value.map(each => renameConfig(each, names))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]): [string, Json] => {
    if (key === 'name') return [key, text(each)]
    if (key === 'inbound_nodes' || key === 'input_layers' || key === 'output_layers') return [key, reference(each)]
    return [key, renameConfig(each, names)]
  }))
}

function renameNote(note: Contents['note'], names: Names, after: Contents): Contents['note'] {
  if (!note) return undefined
  const trunk = note.card?.trunk?.map(name => names.get(name) ?? name)
  return { ...note, ...note.card && { card: { ...note.card, ...trunk && { trunk } } }, fingerprint: fingerprintOf(after) }
}
