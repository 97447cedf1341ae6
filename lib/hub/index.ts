import { load } from './load.ts'
import { resolve } from './resolve.ts'

export type { LoadOptions } from './load.ts'

/** TensorFlow Hub: {@link load} opens a model as layers, {@link resolve} gives its local folder. */
export const hub = { load, resolve }
