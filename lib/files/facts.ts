import type { Dataset } from '../save/hdf5/tree.ts'
import { escape } from '../show/format.ts'
import { table } from '../show/html.ts'

/** Lines that each say one thing of a file: what, and its value. */
export type Facts = [what: string, value: string][]

export const factsText = (facts: Facts): string => facts.map(([what, value]) => `${what.padEnd(10)} ${value}`).join('\n')

export const factsHtml = (facts: Facts): string =>
  table([{ head: '', width: 14 }, { head: '', width: 86 }], facts.map(([what, value]) =>
    [`<b>${escape(what)}</b>`, escape(value)]))

/** How many numbers a weight has. */
export const sizeOf = ({ shape }: Dataset): number => shape.reduce((product, side) => product * side, 1)
