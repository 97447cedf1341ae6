/** The names of the two objects by which the debugger's thread and the main thread find each other. */
export const partsName = 'graft.parts', insideName = 'graft.debug'

/** The object with which the main thread answers, in code. */
export const insideObject = `globalThis[Symbol.for('${insideName}')]`

export type { Inside, Source } from './inside.ts'
