import { names as libraryNames } from '../../lib/names.ts'
import { splitMagics, typesMagic } from '../cell/magics.ts'
import type { Described } from '../cell/traceback.ts'
import { complaints, describeComplaints, describeImplicitAny, describeJsx, implicitAny, type Diagnostic } from './check.ts'
import type { CellNumber, ToldTypes } from '../messages.ts'
import { isComplete, type Completeness } from './complete.ts'
import { completionsOf, magicCompletions, type CompletionItem, type Completions } from './completion.ts'
import { inspectionOf, type Hover, type Inspection, type Signatures } from './inspection.ts'
import { configName } from './config.ts'
import { Files } from './files.ts'
import { Freezer } from './freezer.ts'
import { envName } from './modules.ts'
import type { NotebookDocument } from './notebook.ts'
import { Overlay } from './overlay.ts'
import { livePosition, toUnits } from './positions.ts'
import { LanguageServer } from './server.ts'

/** How many milliseconds without a question the language server stays: half of an idle kernel's memory is its, and it comes back with the next cell. */
const idle = 2 * 60 * 1000

/** How long the first cell may be awaited with few standard types, in milliseconds, before all are loaded. */
const pause = 300

/**
 * All that is known about a notebook's types. It lives in the parent process, so it answers while a cell runs, and asks
 * TypeScript's native language server, which sees the cells as modules ({@link Notebook}).
 *
 * @example
 * const language = new Language({ folder: process.cwd() })
 * await language.check('const a: number = "1"', 1)    // { ename: 'TypeScriptError', evalue: "Type 'string' is …", … }
 */
export class Language {
  readonly #folder: string
  readonly #server: LanguageServer
  readonly #freezer: Freezer
  readonly #files: Files
  #overlay: Overlay
  #ran: { source: string, number: CellNumber }[] = []
  /** A notebook written for tslab is checked as strictly as tslab does: null and undefined fit every type. */
  #nullable = false
  #types: 'on' | 'warn' | 'off' = 'on'
  #remarked = false

  /** @param options.folder the notebook's folder, from which imports are resolved */
  constructor(options: { folder: string, idle?: number }) {
    this.#folder = options.folder
    this.#server = new LanguageServer({ config: configName, entry: envName, idle: options.idle ?? idle })
    this.#overlay = new Overlay(this.#server, options.folder, Object.keys(libraryNames), true)
    this.#freezer = new Freezer(this.#server, this.#overlay)
    this.#files = new Files(options.folder)
  }

  /** Whether the language server's process runs now. */
  get running(): boolean {
    return this.#server.running
  }

  /** Whether type errors stop a cell. Without checks the server ends, until somebody asks for help. */
  get types(): 'on' | 'warn' | 'off' {
    return this.#types
  }

  set types(mode: 'on' | 'warn' | 'off') {
    if (mode === 'off' && this.#types !== 'off') this.#server.rest()
    this.#types = mode
  }

  /** Starts the server and lets it read the standard types, so that the first cell need not wait for that. */
  async warm(): Promise<void> {
    await this.#diagnose('').catch(() => null)
    setTimeout(() => this.#widen(), pause).unref()
  }

  /**
   * Completes the word at the cursor, with kinds and, where they are few, types.
   * @param cursor in code points
   */
  async complete(code: string, cursor: number): Promise<Completions> {
    const offset = toUnits(code, cursor)
    const magics = magicCompletions(code, offset)
    if (magics) return magics
    this.#widen()
    this.#catchUp()
    const isMember = /[.'"`]\s*$/.test(code.slice(0, offset).replace(/[\w$]+$/, ''))
    const live = this.#live(code, !isMember)
    const at = { position: livePosition(code, offset), context: { triggerKind: 1 } }
    const list = await this.#overlay.ask<{ items: CompletionItem[] } | null>('textDocument/completion', this.#show(live), at)
    const extra = isMember ? [] : this.#overlay.notebook.unloaded()
    return completionsOf(code, offset, list?.items ?? [], extra, item => this.#server.request('completionItem/resolve', item))
  }

  /**
   * Explains the name at the cursor, or the call that the cursor stands in.
   * @param cursor in code points
   * @param detail 0 or 1; from 1 on, with the documentation's tags
   */
  async inspect(code: string, cursor: number, detail: number): Promise<Inspection> {
    const offset = toUnits(code, cursor)
    this.#widen()
    this.#catchUp()
    const live = this.#show(this.#live(code))
    const ask = <T>(method: string, at: number) => this.#overlay.ask<T | null>(method, live, { position: livePosition(code, at) })
    const onName = /[\w$]/.test(code[offset] ?? '') ? offset : /[\w$]/.test(code[offset - 1] ?? '') ? offset - 1 : -1
    const hover = onName < 0 ? null : await ask<Hover>('textDocument/hover', onName)
    const signatures = hover?.contents ? null : await ask<Signatures>('textDocument/signatureHelp', offset)
    return inspectionOf(hover, signatures, detail, text => this.#overlay.notebook.readable(text, false))
  }

  /** Whether the code can run as it is, or goes on in the next line. */
  isComplete(code: string): Completeness {
    return isComplete(code)
  }

  /**
   * Takes in a cell that ran, whether it threw or not: its names count for all later cells. While nobody asks for types, that waits.
   * @param types what values told of their own types
   */
  ran(source: string, number: CellNumber, types: ToldTypes = {}): void {
    if (/^%reset\s*$/m.test(source)) this.reset()
    this.#ran.push({ source: withoutMagics(source), number })
    // Types that were told are like one more cell, which declares these names anew.
    const told = Object.values(types).map(declaration => `declare ${declaration};`)
    if (told.length) this.#ran.push({ source: told.join('\n'), number })
    if (this.#types === 'off') return
    this.#widen()
    this.#catchUp()
  }

  /**
   * Finds the definite type errors of a cell before it runs.
   * @returns what an `error` message carries; with `warning` the cell is to run all the same; null where nothing is wrong
   */
  async check(source: string, number: CellNumber): Promise<Described & { warning?: true } | null> {
    const mode = typesMagic(source)
    if (mode) this.types = mode
    if (this.#types === 'off') return null
    if (/['"]tslab['"]/.test(source)) this.#nullable = true
    const diagnostics = await this.#read(source), found = complaints(diagnostics, source, { nullable: this.#nullable })
    if (!found.length) return this.#remark(implicitAny(diagnostics, source), number)
    const jsx = found.some(({ code }) => code < 2000) && source.includes('<') ? (await import('../cell/intent.ts')).jsxAt(withoutMagics(source)) : null
    const described = jsx !== null ? describeJsx(source, number, jsx) : describeComplaints(found, source, number, text => this.#overlay.notebook.readable(text))
    return this.#types === 'warn' ? { ...described, warning: true } : described
  }

  /** A warning, the first time. */
  #remark(found: Diagnostic | undefined, number: CellNumber) {
    if (!found || this.#remarked) return null
    this.#remarked = true
    return { ...describeImplicitAny(found, number), warning: true as const }
  }

  /** Settles when what is done in the background is done. */
  settled(): Promise<void> {
    return this.#freezer.done()
  }

  /** Forgets all cells, as after a restart. */
  reset(): void {
    this.#ran = []
    this.#nullable = false
    this.#overlay = new Overlay(this.#server, this.#folder, Object.keys(libraryNames))
    this.#freezer.moveTo(this.#overlay)
  }

  /** Ends the language server. */
  dispose(): void {
    this.#freezer.stop()
    this.#server.dispose()
  }

  /** Shows the server the cells that ran since it was last asked. */
  #catchUp() {
    for (const { source, number } of this.#ran.splice(0)) {
      const cell = this.#overlay.notebook.add(source, number)
      if (!cell) continue
      this.#overlay.set(cell)
      this.#freezer.add(cell)
    }
    this.#overlay.share()
  }

  /** The document of a cell that is typed or about to run. What it imports, the server looks at as it is now. */
  #live(source: string, all = false): NotebookDocument {
    const text = withoutMagics(source)
    this.#server.filesChanged(this.#files.changes(text))
    return this.#overlay.notebook.live(text, all)
  }

  /** Shows the server a document and what it refers to; gives its name. */
  #show(document: NotebookDocument): string {
    this.#overlay.share()
    this.#overlay.set(document)
    return document.name
  }

  /** What TypeScript finds in a cell; a cell that is an object alone is an expression. */
  async #read(source: string): Promise<Diagnostic[]> {
    const text = withoutMagics(source)
    if (!text.trimStart().startsWith('{') || !(await import('../cell/intent.ts')).isObjectLiteral(text)) return this.#found(source)
    const found = await this.#found(`(${text})`), left = ({ line, character }: Diagnostic['range']['start']) => ({ line, character: line === 1 ? character - 1 : character })
    return found.map(each => ({ ...each, range: { start: left(each.range.start), end: left(each.range.end) } }))
  }

  /**
   * What TypeScript finds in a cell. The first cell need not wait for the types of Node and of pages, as long as nothing is missing: one that
   * takes nothing from outside and shows no error with few types shows none with all.
   */
  async #found(source: string): Promise<Diagnostic[]> {
    if (this.#overlay.lean && !this.#overlay.notebook.reachesOut(withoutMagics(source))) {
      const found = await this.#diagnose(source)
      if (!found.some(({ severity }) => severity === 1)) return found
    }
    this.#overlay.widen()
    return this.#diagnose(source)
  }

  /** Loads all standard types in the background. */
  #widen() {
    if (!this.#overlay.lean) return
    this.#overlay.widen()
    if (this.running) this.#overlay.diagnose(envName).catch(() => {})
  }

  #diagnose(source: string): Promise<Diagnostic[]> {
    this.#catchUp()
    return this.#overlay.diagnose(this.#show(this.#live(source)))
  }
}

/** A cell as TypeScript sees it; what a wrong magic is told, it is told when the cell runs. */
function withoutMagics(source: string): string {
  try { return splitMagics(source).source } catch { return '' }
}
