import { setTimeout as sleep } from 'node:timers/promises'
import type { Described } from './cell/traceback.ts'
import { typesMagic } from './cell/magics.ts'
import type { Language } from './language/language.ts'
import { log } from './log.ts'
import type { CellNumber, ToldTypes } from './messages.ts'

/** How long the check of a cell's types may take, in ms. */
const longest = 10_000

/** The check of a cell that is about to run. A language server that fails or takes too long finds nothing. */
export interface Check {
  found: Promise<Described & { warning?: true } | null>
  /** Ends the wait, with null. */
  stop(): void
}

/**
 * The kernel's way to {@link Language}, which is loaded when it is first asked. While `%types` are off, cells pass it by: they run at once,
 * TypeScript's server is ended, and what they declare is told when somebody asks for help.
 */
export class Types {
  readonly #load: () => Promise<Language>
  #language: Promise<Language> | null = null
  #mode: 'on' | 'warn' | 'off' = 'on'
  #untold: [source: string, number: CellNumber, types: ToldTypes | undefined][] = []

  constructor(load: () => Promise<Language>) {
    this.#load = load
  }

  /** Gets the language server ready for the first cell, unless types are off. */
  warm(): void {
    if (this.#mode === 'off' || this.#language) return
    this.language().then(language => { if (this.#mode !== 'off') return language.warm() }).catch((error: Error) => log(String(error.stack)))
  }

  /** The language service, with every cell that ran. */
  async language(): Promise<Language> {
    const language = await (this.#language ??= this.#load().then(language => Object.assign(language, { types: this.#mode })))
    for (const cell of this.#untold.splice(0)) language.ran(...cell)
    return language
  }

  /** Starts to look for the definite type errors of a cell; null where it is not to be checked. */
  check(source: string, number: CellNumber): Check | null {
    const mode = typesMagic(source)
    if (mode) this.#mode = mode
    if (mode && this.#language) void this.#language.then(language => { language.types = mode }, () => {})
    if (this.#mode === 'off') return null
    const end = new AbortController(), timeout = sleep(longest, null, { signal: end.signal, ref: false }).catch(() => null)
    const found = this.language().then(language => language.check(source, number)).catch((error: Error) => {
      log(`cannot check types: ${error.message}`)
      return null
    })
    return { found: Promise.race([found, timeout]).finally(() => end.abort()), stop: () => end.abort() }
  }

  /** Takes in a cell that ran. @param types what its values told of their own types */
  ran(source: string, number: CellNumber, types?: ToldTypes): void {
    this.#untold.push([source, number, types])
    if (this.#mode !== 'off') this.language().catch(() => {})
  }

  /** Forgets all cells, as after a restart. */
  reset(): void {
    this.#untold = []
    void this.#language?.then(language => language.reset(), () => {})
  }

  /** Ends the language server. */
  async dispose(): Promise<void> {
    await this.#language?.then(language => language.dispose(), () => {})
  }
}
