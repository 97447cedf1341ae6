import { inspect } from 'node:util'
import { displaySymbol, metadataSymbol, type MimeBundle } from '../host.ts'

/**
 * Makes a mime bundle that also shows itself when it is a cell's last expression or is printed in a terminal.
 * The metadata goes beside the data in the display message, by mime type, e.g. `{ 'image/png': { width: 640, height: 400 } }`.
 */
export function showable(data: MimeBundle & { 'text/plain': string }, metadata?: Record<string, unknown>): MimeBundle {
  const hidden = (value: unknown) => ({ value, enumerable: false })
  return Object.defineProperties({ ...data }, {
    [displaySymbol]: hidden(function (this: MimeBundle) { return this }),
    [inspect.custom]: hidden(() => data['text/plain']),
    ...metadata && { [metadataSymbol]: hidden(metadata) },
  }) as MimeBundle
}
