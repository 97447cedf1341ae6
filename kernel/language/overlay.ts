import type { Diagnostic } from './check.ts'
import { configName, projectConfig } from './config.ts'
import { emptyModule, envName } from './modules.ts'
import { Notebook, type NotebookDocument } from './notebook.ts'
import type { LanguageServer } from './server.ts'

/** The documents of one notebook as the language server sees them: they lie over the files of its folder. */
export class Overlay {
  readonly notebook: Notebook
  readonly #server: LanguageServer

  /** @param library the names a cell finds without declaring them */
  constructor(server: LanguageServer, folder: string, library: Iterable<string>) {
    this.#server = server
    this.notebook = new Notebook(folder, library)
    this.set({ name: configName, text: projectConfig(folder, envName) })
    for (const name of this.notebook.modules) this.set({ name, text: emptyModule })
    this.share()
  }

  /** Shows a document. */
  set({ name, text }: NotebookDocument): void {
    this.#server.set(this.notebook.uri(name), text)
  }

  /** Shows what all cells share, as it is now. */
  share(): void {
    for (const name of this.notebook.modules) this.#server.open(this.notebook.uri(name), emptyModule)
    this.set({ name: envName, text: this.notebook.env })
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
