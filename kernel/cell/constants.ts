import type { CellNumber } from '../messages.ts'

/** How a cell's code names the object through which it tries to change a constant. */
export const constants = `globalThis[Symbol.for('graft.constants')]`

/**
 * Installs the object whose properties refuse to be read or written: in a cell, `a = 2` for a constant `a` is `constants.a = 2`, so
 * that every form of assignment fails where it stands, and only when it is reached.
 * @param since the cell that declared a constant
 */
export function installConstants(since: (name: string) => CellNumber | undefined): void {
  const refuse = (name: string | symbol): never => {
    const number = since(String(name))
    throw new TypeError(`Cannot assign to '${String(name)}': it is a constant${number ? ` since cell ${number}` : ''}. ` +
      'Declare it again with `let` to change it.')
  }
  const holder = globalThis as Record<symbol, unknown>
  holder[Symbol.for('graft.constants')] = new Proxy({}, { get: (_, name) => refuse(name), set: (_, name) => refuse(name) })
}
