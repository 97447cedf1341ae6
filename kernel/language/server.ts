import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { nativeCompiler } from './compiler.ts'
import type { FileEvent } from './files.ts'
import { Rpc } from './rpc.ts'

/** How the server runs. */
export interface ServerOptions {
  /** The name of the project's configuration file, an open document like the others. */
  config: string
  /** The document that leads to the others: it is opened last. */
  entry: string
  /** How long without a request the server stays, in milliseconds. */
  idle: number
}

/**
 * TypeScript's native language server over stdio (Language Server Protocol 3.17), with documents that exist only here. It starts
 * at the first request, ends when nobody asked for a while, and comes back with the same documents.
 */
export class LanguageServer {
  readonly #options: ServerOptions
  readonly #documents = new Map<string, { text: string, version: number }>()
  #process: ChildProcess | null = null
  #rpc: Rpc | null = null
  #starts = 0
  #changed: string | null = null
  #timer: NodeJS.Timeout | undefined
  #disposed = false

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Whether the server's process runs now. */
  get running(): boolean {
    return this.#process !== null
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts
  }

  /** Opens or replaces a document of the notebook's folder. */
  set(uri: string, text: string): void {
    const known = this.#documents.get(uri)
    if (known?.text === text) return
    const version = (known?.version ?? 0) + 1
    this.#documents.set(uri, { text, version })
    if (!this.#rpc) return
    if (!known) return this.#open(this.#rpc, uri)
    // A program takes over one changed document; with two it is built anew, at ten times the price. A question makes it take the first.
    if (this.#changed && this.#changed !== uri) {
      this.#rpc.ask('textDocument/documentSymbol', { textDocument: { uri: this.#changed } }).catch(() => {})
    }
    this.#rpc.notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] })
    this.#changed = uri
  }

  /** Opens a document unless it is open. */
  open(uri: string, text: string): void {
    if (!this.#documents.has(uri)) this.set(uri, text)
  }

  /** Tells the server of files that changed on the disk, those that it has read among them. */
  filesChanged(changes: FileEvent[]): void {
    if (changes.length) this.#rpc?.notify('workspace/didChangeWatchedFiles', { changes })
  }

  /** Asks the server; rejects when it ends before its answer. */
  request<T>(method: string, params: unknown): Promise<T> {
    if (this.#disposed) return Promise.reject(new Error('the language server was ended'))
    const rpc = this.#rpc ?? this.#start()
    this.#timer?.refresh()
    this.#changed = null
    return rpc.ask(method, params)
  }

  /** Starts the server if it does not run, so that the next question finds it ready. */
  warm(): void {
    if (!this.#process && !this.#disposed) this.#start()
  }

  /** Ends the server until the next question. */
  rest(): void {
    this.#stop()
  }

  /** Ends the server; nothing starts it again. */
  dispose(): void {
    this.#disposed = true
    this.#stop()
  }

  #start(): Rpc {
    // The server is written in Go: it collects garbage when its heap has grown by these percents, so what it takes is bounded by its program.
    const env: NodeJS.ProcessEnv = { GOGC: '75', ...process.env }
    // On a path of programs it would find npm and download types for packages that have none; a check of types asks no network.
    for (const name of Object.keys(env)) if (/^path$/i.test(name)) env[name] = ''
    const child = spawn(nativeCompiler(), ['--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true, env })
    const rpc = new Rpc(child.stdout, child.stdin, { answer: (method, params) => this.#answer(method, params), onChange: () => this.#hold() })
    this.#process = child
    this.#rpc = rpc
    this.#starts++
    child.on('error', () => this.#ended(child))
    child.on('exit', () => this.#ended(child))
    child.unref()
    ;(child.stdin as unknown as Socket).unref()
    rpc.ask('initialize', {
      processId: process.pid, rootUri: null, workspaceFolders: null,
      capabilities: {
        general: { positionEncodings: ['utf-16'] }, workspace: { configuration: true },
        textDocument: {
          completion: { completionItem: { documentationFormat: ['markdown'], labelDetailsSupport: true } },
          hover: { contentFormat: ['markdown'] }, diagnostic: {},
        },
      },
    }).catch(() => {})
    rpc.notify('initialized', {})
    // The settings count from the first question on: a document that is opened before it gets a project of its own, with all standard types.
    rpc.ask('workspace/symbol', { query: '\0' }).catch(() => {})
    this.#changed = null
    const isEntry = (uri: string) => Number(uri.endsWith(`/${this.#options.entry}`))
    for (const uri of [...this.#documents.keys()].sort((a, b) => isEntry(a) - isEntry(b))) this.#open(rpc, uri)
    this.#timer = setTimeout(() => rpc.open ? this.#timer?.refresh() : this.#stop(), this.#options.idle).unref()
    return rpc
  }

  #stop() {
    clearTimeout(this.#timer)
    this.#process?.kill()
    if (this.#process) this.#ended(this.#process)
  }

  #ended(child: ChildProcess) {
    if (this.#process !== child) return
    // Nothing that it may still say keeps this process alive.
    child.stdout?.destroy()
    this.#process = null
    this.#rpc?.end()
    this.#rpc = null
  }

  #open(rpc: Rpc, uri: string) {
    const { text, version } = this.#documents.get(uri)!
    const languageId = uri.endsWith('.json') ? 'json' : 'typescript'
    rpc.notify('textDocument/didOpen', { textDocument: { uri, languageId, version, text } })
  }

  /** Only an open question keeps the kernel's process alive; an answer is a sign of use. */
  #hold() {
    const stdout = this.#process?.stdout as unknown as Socket | undefined
    if (this.#rpc?.open) stdout?.ref()
    else stdout?.unref()
    this.#timer?.refresh()
  }

  #answer(method: string, params: unknown) {
    if (method !== 'workspace/configuration') return null
    const settings = { customConfigFileName: this.#options.config, suggest: { autoImports: false }, disableAutomaticTypeAcquisition: true }
    return (params as { items: unknown[] }).items.map(() => settings)
  }
}
