import { createRequire } from 'node:module'

type Library = typeof import('./plot.ts').Plot

let library: Library | undefined
const loaded = (): Library => library ??= createRequire(import.meta.url)('./plot.ts').Plot

/**
 * `Plot` as the library exports it: what it stands on, all of D3 and a document, is loaded when it is first looked into, for most
 * programs draw nothing.
 */
export const Plot: Library = new Proxy({} as Library, {
  get: (_, name) => Reflect.get(loaded(), name),
  set: (_, name, value) => Reflect.set(loaded(), name, value),
  has: (_, name) => Reflect.has(loaded(), name),
  ownKeys: () => Reflect.ownKeys(loaded()),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(loaded(), name),
})
