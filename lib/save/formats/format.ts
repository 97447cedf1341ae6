import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { Hdf5Error, packHdf5, unpackHdf5 } from '../hdf5/index.ts'
import type { Group } from '../hdf5/tree.ts'
import type { Readers } from '../keras/encode.ts'
import type { LayerWeights } from '../weights.ts'

/** One kind of file: how a model is laid out in it and read from it. */
export interface Format {
  extension: string
  /** What it is, for messages. */
  what: string
  encode(model: LayersModel, options: { readers: Readers; signal: AbortSignal }): Promise<Encoded>
  /** Reads a whole model, or, of weights alone, into a model that is there. */
  decode(bytes: Uint8Array<ArrayBuffer>, options: { into?: LayersModel; signal: AbortSignal }): Promise<LayersModel>
}

/** A model packed as a file's bytes. */
export interface Encoded {
  bytes: Uint8Array<ArrayBuffer>
  weights: LayerWeights[]
  /** Compares what the disk gave back with what was packed, byte by byte; resolves to the first difference. */
  differs(written: Uint8Array<ArrayBuffer>): Promise<string | undefined>
}

/** Packs a tree; comparing reads the file as any other reader would. */
export async function encodeTree(root: Group, weights: LayerWeights[], signal: AbortSignal): Promise<Encoded> {
  const bytes = await packHdf5(root, signal)
  return { bytes, weights, differs: async written => difference(await unpackHdf5(written, { signal }), root) }
}

/** Reads a tree; what HDF5 has to say becomes one sentence. */
export async function decodeTree(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Group> {
  return unpackHdf5(bytes, { signal }).catch(error => {
    if (!(error instanceof Hdf5Error)) throw error
    const causes = [...error.message.matchAll(/: ([^:\n]+)\n\s+major/g)].map(([, cause]) => cause)
    throw new GraftError(
      `the file is damaged or incomplete (${causes.at(-1) ?? error.message.split('\n')[0]}). Save or copy it again.`,
      { cause: error },
    )
  })
}

/** How many numbers a file holds: no model from it can have more. */
export const countNumbers = ({ groups, datasets }: Group): number =>
  [...datasets.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    [...groups.values()].reduce((sum, each) => sum + countNumbers(each), 0),
  )

/** The first difference between what was read back and what should have been written. */
export function difference(read: Group, wanted: Group, at = ''): string | undefined {
  for (const [name, value] of wanted.attributes) {
    if (JSON.stringify(read.attributes.get(name)) !== JSON.stringify(value)) return `the attribute ${at}/${name}`
  }
  for (const [name, { shape, dtype, data }] of wanted.datasets) {
    const got = read.datasets.get(name)
    const equal =
      got?.data && data && got.dtype === dtype && got.shape.join() === shape.join() && Buffer.compare(got.data, data) === 0
    if (!equal) return `the tensor ${at}/${name}`
  }
  for (const [name, child] of wanted.groups) {
    const below = read.groups.get(name)
    const found = below ? difference(below, child, `${at}/${name}`) : `the group ${at}/${name}`
    if (found) return found
  }
  return undefined
}
