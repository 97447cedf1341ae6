import { createConnection } from 'node:net'
import { Rpc } from './rpc.ts'
import type { LanguageServer } from './server.ts'

/** NodeBuilderFlags: NoTruncation, AllowUniqueESSymbolType. */
const flags = 1 | 1 << 20

/** What TypeScript's API says of a symbol; a handle names a node of the syntax tree. */
interface SymbolData { id: number, valueDeclaration?: string }

/**
 * Reads inferred types from the language server's program, through TypeScript's API on a pipe of its own. The API is marked unstable:
 * where it fails there are simply no types to be had. Its own client for JavaScript is not used, which takes longer to load than all
 * that is asked of it.
 */
export class Inferred {
  readonly #server: LanguageServer
  #api: Promise<Rpc> | null = null
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
    const { snapshot } = await api.ask<{ snapshot: number }>('updateSnapshot', {})
    try {
      const found = [...files].map(async ([path, offsets]) => [path, await this.#typesIn(api, snapshot, path, offsets)] as const)
      return new Map(await Promise.all(found))
    } finally {
      void api.ask('release', { snapshot }).catch(() => {})
    }
  }

  async #typesIn(api: Rpc, snapshot: number, file: string, positions: number[]): Promise<(string | null)[]> {
    if (!positions.length) return []
    const { id: project } = await api.ask<{ id: string }>('getDefaultProjectForFile', { snapshot, file })
    const symbols = await api.ask<(SymbolData | null)[]>('getSymbolsAtPositions', { snapshot, project, file, positions })
    return Promise.all(symbols.map(async symbol => {
      if (!symbol) return null
      const type = await api.ask<{ id: number } | null>('getTypeOfSymbol', { snapshot, project, symbol: symbol.id })
      return type && api.ask<string>('typeToString', { snapshot, project, type: type.id, location: symbol.valueDeclaration, flags })
    }))
  }

  #connect(): Promise<Rpc> {
    if (this.#start !== this.#server.starts) {
      this.#start = this.#server.starts
      this.#api = null
    }
    return this.#api ??= this.#server.request<{ pipe: string }>('custom/initializeAPISession', {}).then(async ({ pipe }) => {
      const socket = createConnection(pipe)
      const api: Rpc = new Rpc(socket, socket, { onChange: () => api.open ? socket.ref() : socket.unref() })
      socket.on('close', () => api.end())
      await api.ask('initialize', null)
      return api
    })
  }
}
