import { Readable } from 'node:stream'
import { GraftError } from '../../lib/error.ts'

const word = 'process.stdin has nothing to read in a notebook. Ask with `await input(\'Name? \')`, `prompt` or `confirm`.'

/**
 * Puts a stream in the place of `process.stdin` whose readers are told what to do instead: they would wait for ever.
 * @param refuse takes the error, for the cell that reads
 */
export function installStdin(refuse: (error: GraftError) => void): void {
  const stdin = () => Object.assign(new Readable({ read() { refuse(new GraftError(word)) } }), { fd: 0, isTTY: false })
  let now = stdin()
  Object.defineProperty(process, 'stdin', { get: () => now.destroyed || now.readableDidRead || now.readableFlowing ? now = stdin() : now, configurable: true, enumerable: true })
}
