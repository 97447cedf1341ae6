import { dirname, join, parse } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Diagnostic } from './check.ts'
import { configName, projectConfig, topConfig } from './config.ts'
import { emptyModule, envName } from './modules.ts'
import { Notebook, type NotebookDocument } from './notebook.ts'
import type { LanguageServer } from './server.ts'

/** The documents of one notebook as the language server sees them: they lie over the files of its folder. */
export class Overlay {
  readonly notebook: Notebook
  readonly #server: LanguageServer
  readonly #folder: string
  #lean: boolean
  #shared = ''

  /**
   * @param library the names a cell finds without declaring them
   * @param lean whether to begin with few standard types, until more are needed
   */
  constructor(server: LanguageServer, folder: string, library: Iterable<string>, lean = false) {
    this.#server = server
    this.#folder = folder
    this.#lean = lean
    this.notebook = new Notebook(folder, library)
    const top = join(parse(folder).root, configName)
    if (folder !== dirname(top)) server.set(pathToFileURL(top).href, topConfig(top, join(folder, configName)))
    this.set({ name: configName, text: projectConfig(folder, envName, lean) })
    for (const name of this.notebook.modules) this.set({ name, text: emptyModule })
    this.share()
  }

  /** Whether only a few of the standard types are there. */
  get lean(): boolean {
    return this.#lean
  }

  /** Brings in all standard types. */
  widen(): void {
    if (this.#lean) this.set({ name: configName, text: projectConfig(this.#folder, envName) })
    this.#lean = false
  }

  /** Shows a document. */
  set({ name, text }: NotebookDocument): void {
    this.#server.set(this.notebook.uri(name), text)
  }

  /** Shows what all cells share, as it is now. */
  share(): void {
    if (this.notebook.env === this.#shared) return
    this.#shared = this.notebook.env
    for (const name of this.notebook.modules) this.#server.open(this.notebook.uri(name), emptyModule)
    this.set({ name: envName, text: this.#shared })
  }

  /** What TypeScript has to say of a document. */
  async diagnose(name: string): Promise<Diagnostic[]> {
    return (await this.ask<{ items: Diagnostic[] } | null>('textDocument/diagnostic', name))?.items ?? []
  }

  /** Asks about a document. */
  ask<T>(method: string, name: string, params: object = {}): Promise<T> {
    return this.#server.request<T>(method, { textDocument: { uri: this.notebook.uri(name) }, ...params })
  }
}
