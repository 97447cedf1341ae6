import { toFloats } from '../save/numbers.ts'
import { fingerprint } from '../save/weights.ts'
import type { Contents } from './contents.ts'

/** The fingerprint of the weights as Graft's note has it: of their paths, shapes and numbers in the order of the file. */
export const fingerprintOf = ({ stored }: Contents): string =>
  fingerprint([{ layer: '', weights: stored.map(({ path, shape, ...dataset }) =>
    ({ path, shape, data: toFloats({ shape, ...dataset }) })) }])
