import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import type { Parts } from '../disk.ts'
import { checkHdf5, Hdf5Error, packHdf5, unpackHdf5 } from '../hdf5/index.ts'
import type { Group } from '../hdf5/tree.ts'
import type { Readers } from '../keras/encode.ts'
import type { LayerWeights, ModelState } from '../weights.ts'

/** One kind of file: how a model is laid out in it and read from it. */
export interface Format {
  /** What a file's name ends in, or its whole name where that stands for a folder. */
  extension: string
  /** What it is, for messages. */
  what: string
  /** What such a file begins with. */
  begins?: { what: string; bytes: Buffer }
  encode(model: LayersModel, options: { path: string; readers: Readers; signal: AbortSignal }): Promise<Encoded>
  /** Reads a whole model, or, of weights alone, into a model that is there. */
  decode(bytes: Uint8Array<ArrayBuffer>, options: { path: string; into?: LayersModel; signal: AbortSignal }): Promise<LayersModel>
}

/** A model packed as a file. */
export interface Encoded {
  parts: Parts
  /** The files of a format that is a folder, by their paths in it. */
  folder?: Map<string, Parts>
  weights: LayerWeights[]
  /**
   * Reads what was packed, or the folder that was written, as any other reader would; resolves to the first difference from what
   * was meant.
   */
  check(folder?: string): Promise<string | undefined>
  /** Files that this one names, in the same folder. */
  beside?: Map<string, Parts>
  obsolete?: (name: string) => boolean
  /** A Python module beside the file that must be imported before Keras opens it. */
  imports?: string
  /** Anything worth a line in the receipt. */
  words?: [what: string, text: string][]
}

/** Packs a tree. */
export async function encodeTree(root: Group, state: ModelState, signal: AbortSignal): Promise<Encoded> {
  const parts = await packHdf5(root, signal)
  return { parts, weights: state.layers, check: () => checkHdf5(parts, root, signal) }
}

/** Reads a tree; what HDF5 has to say becomes one sentence. */
export async function decodeTree(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal, outline = false): Promise<Group> {
  return unpackHdf5(bytes, { signal, outline }).catch(error => {
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

/** How a file of HDF5 or a zip archive begins. */
export const begins = {
  hdf5: { what: 'an HDF5 file', bytes: Buffer.from('\x89HDF\r\n\x1a\n', 'latin1') },
  zip: { what: 'a zip archive', bytes: Buffer.from('PK\x03\x04', 'latin1') },
}
