import type { API } from 'typescript/unstable/async'
import type { LanguageServer } from './server.ts'

/** NodeBuilderFlags: NoTruncation, AllowUniqueESSymbolType. */
const flags = 1 | 1 << 20

/**
 * Reads inferred types from the language server's program, through TypeScript's API on a pipe of its own. The API is marked unstable:
 * where it fails there are simply no types to be had.
 */
export class Inferred {
  readonly #server: LanguageServer
  #api: Promise<API<true>> | null = null
  #start = -1

  constructor(server: LanguageServer) {
    this.#server = server
  }

  /**
   * The types of names, as text that is valid in their own file.
   * @param files for each file's path the offsets of the names' declarations
   * @returns for each file the types, null for what has none
   */
  async types(files: Map<string, number[]>): Promise<Map<string, (string | null)[]>> {
    const api = await this.#connect()
    const snapshot = await api.updateSnapshot()
    const found = new Map<string, (string | null)[]>()
    try {
      for (const [path, offsets] of files) {
        const project = await snapshot.getDefaultProjectForFile(path)
        const file = await project?.program.getSourceFile(path)
        if (!project || !file) continue
        const symbols = await project.checker.getSymbolAtPosition(path, offsets)
        found.set(path, await Promise.all(symbols.map(async symbol => {
          const type = symbol && await project.checker.getTypeOfSymbol(symbol)
          return type ? project.checker.typeToString(type, file, flags) : null
        })))
      }
    } finally {
      await snapshot.dispose()
    }
    return found
  }

  async #connect(): Promise<API<true>> {
    if (this.#start !== this.#server.starts) {
      this.#start = this.#server.starts
      this.#api = null
    }
    return this.#api ??= Promise.all([
      import('typescript/unstable/async'), this.#server.request<{ pipe: string }>('custom/initializeAPISession', {}),
    ]).then(([{ API }, { pipe }]) => API.fromLSPConnection({ pipe }))
  }
}
