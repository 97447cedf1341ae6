import { Readable } from 'node:stream'
import { GraftError } from '../../lib/error.ts'

const word = 'process.stdin has nothing to read in a notebook. Ask with `await input(\'Name? \')`, `prompt` or `confirm`.'

/**
 * Puts a stream in the place of `process.stdin` whose readers are told what to do instead: they would wait for ever.
 * @param refuse takes the error, for the cell that reads
 */
export function installStdin(refuse: (error: GraftError) => void): void {
  const make = () => Object.assign(new Readable({
    read() {
      // A stream that is read waits for its source; the next reader gets one that has not been.
      stdin = make()
      refuse(new GraftError(word))
    },
  }), { fd: 0, isTTY: false })
  let stdin = make()
  Object.defineProperty(process, 'stdin', { get: () => stdin.destroyed ? stdin = make() : stdin, configurable: true, enumerable: true })
}
