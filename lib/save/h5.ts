import { createHash } from 'node:crypto'
import { group, place, subgroup, type Attribute, type Group } from './hdf5/tree.ts'
import type { Json, KerasObject } from './keras/types.ts'
import type { LayerWeights } from './weights.ts'

/** HDF5 keeps an attribute in its object's header, which ends at 64 KB: longer lists of names are split, as Keras does. */
const headerLimit = 64512

/** What a text of variable length takes in the header; the text itself lies elsewhere. */
const reference = 16

/** What a saved model consists of, whatever the format. */
export interface Saved {
  config: KerasObject
  layers: LayerWeights[]
  /** Graft's own part: the card and the versions. Keras ignores it. */
  graft: { [key: string]: Json }
}

/**
 * Lays a model out as Keras's `.h5` (`keras/src/legacy/saving/legacy_h5_format.py`): the configuration and the weights of each layer
 * under `model_weights/<layer>/<weight path>`, found again through the attributes `layer_names` and `weight_names`.
 */
export function toH5({ config, layers, graft }: Saved): Group {
  const root = group()
  const weights = subgroup(root, 'model_weights')
  for (const { attributes } of [root, weights]) attributes.set('keras_version', '2.15.0').set('backend', 'tensorflow')
  root.attributes.set('model_config', ascii(config)).set('graft', ascii(graft))
  putNames(weights, 'layer_names', layers.map(({ layer }) => layer))
  for (const { layer, weights: own } of layers) {
    const at = subgroup(weights, layer)
    putNames(at, 'weight_names', own.map(({ path }) => path))
    for (const { path, shape, data } of own) {
      place(at, path, { shape, dtype: 'float32', data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    }
  }
  // Weights of the model itself, outside its layers; Keras 3 looks for the group.
  putNames(subgroup(weights, 'top_level_model_weights'), 'weight_names', [])
  return root
}

/** JSON as Python's `json.dumps` writes it by default: ASCII alone, so that no reader can take a wrong encoding. */
const ascii = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)

function putNames(to: Group, name: string, names: string[]): void {
  const longest = Math.max(reference, ...names.map(each => Buffer.byteLength(each)))
  const parts = Math.max(1, Math.ceil(names.length / Math.max(1, Math.floor(headerLimit / longest))))
  if (parts === 1) {
    to.attributes.set(name, names)
    return
  }
  const each = Math.ceil(names.length / parts)
  for (let i = 0; i < parts; i++) to.attributes.set(`${name}${i}`, names.slice(i * each, (i + 1) * each))
}

/** The names under `name`, or under `name0`, `name1`, … */
export function getNames(from: Group, name: string): string[] | undefined {
  const whole = from.attributes.get(name)
  if (whole !== undefined) return texts(whole)
  const parts: string[] = []
  for (let i = 0, part; (part = from.attributes.get(`${name}${i}`)) !== undefined; i++) parts.push(...texts(part))
  return from.attributes.has(`${name}0`) ? parts : undefined
}

const texts = (value: Attribute): string[] => [value].flat().map(String)

/** A fingerprint of all weights, by which a file that changed after saving is told. */
export function fingerprint(layers: LayerWeights[]): string {
  const hash = createHash('sha256')
  for (const { weights } of layers) {
    for (const { path, shape, data } of weights) {
      hash.update(`${path} ${shape.join()}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  }
  return hash.digest('hex')
}

/** Compares what was read back with what should have been written, byte by byte; returns the first difference. */
export function difference(read: Group, wanted: Group, at = ''): string | undefined {
  for (const [name, value] of wanted.attributes) {
    if (JSON.stringify(read.attributes.get(name)) !== JSON.stringify(value)) return `the attribute ${at}/${name}`
  }
  for (const [name, { shape, dtype, data }] of wanted.datasets) {
    const got = read.datasets.get(name)
    const equal = got?.data && data && got.dtype === dtype && got.shape.join() === shape.join() && Buffer.compare(got.data, data) === 0
    if (!equal) return `the tensor ${at}/${name}`
  }
  for (const [name, child] of wanted.groups) {
    const below = read.groups.get(name)
    const found = below ? difference(below, child, `${at}/${name}`) : `the group ${at}/${name}`
    if (found) return found
  }
  return undefined
}
