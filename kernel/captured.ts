import { StringDecoder } from 'node:string_decoder'
import { mark } from './messages.ts'

/**
 * What native code and child processes write to file descriptor 1 or 2 of the child, cut at the marks that the child writes between it.
 * A mark that has come says: all that was written before it has come too.
 */
export class Captured {
  /** The latest mark that came. */
  barrier = 0
  readonly #write: (text: string) => void
  readonly #decoder = new StringDecoder('utf8')
  readonly #start: string
  #rest = ''

  /** @param nonce what the marks are known by */
  constructor(nonce: string, write: (text: string) => void) {
    this.#write = write
    this.#start = mark(nonce, 0).split('0\u001b')[0]
  }

  push(chunk: Buffer): void {
    let text = this.#rest + this.#decoder.write(chunk)
    this.#rest = ''
    for (let at; (at = text.indexOf(this.#start)) >= 0;) {
      const end = text.indexOf('\u001b\\', at + this.#start.length)
      if (end < 0) break
      if (at) this.#write(text.slice(0, at))
      this.barrier = Number(text.slice(at + this.#start.length, end))
      text = text.slice(end + 2)
    }
    const open = this.#openMark(text)
    if (open > 0) this.#write(text.slice(0, open))
    this.#rest = text.slice(open)
  }

  /** Where a mark begins whose end has not come, or the text's length. */
  #openMark(text: string): number {
    const at = text.lastIndexOf('\u001b_')
    if (at >= 0 && text.startsWith(this.#start.slice(0, text.length - at), at)) return at
    return text.endsWith('\u001b') ? text.length - 1 : text.length
  }
}
