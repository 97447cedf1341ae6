import { spawn, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { nativeCompiler } from './compiler.ts'

interface Message { id?: number | string, method?: string, params?: unknown, result?: unknown, error?: { message: string } }
interface Waiting { resolve: (result: never) => void, reject: (error: Error) => void }

/** What the server may be told in answer to its own questions. */
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
  readonly #waiting = new Map<number, Waiting>()
  #process: ChildProcess | null = null
  #starts = 0
  #received: Buffer[] = []
  #size = 0
  #expected = -1
  #last = 0
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
    if (!this.#process) return
    if (!known) return this.#open(uri)
    // A program takes over one changed document; where there are two it is built anew, for ten times the price. A question makes it take the first.
    if (this.#changed && this.#changed !== uri) void this.#ask('textDocument/documentSymbol', { textDocument: { uri: this.#changed } }).catch(() => {})
    this.#notify('textDocument/didChange', { textDocument: { uri, version }, contentChanges: [{ text }] })
    this.#changed = uri
  }

  /** Opens a document unless it is open. */
  open(uri: string, text: string): void {
    if (!this.#documents.has(uri)) this.set(uri, text)
  }

  /** Asks the server; rejects when it ends before its answer. */
  request<T>(method: string, params: unknown): Promise<T> {
    if (this.#disposed) return Promise.reject(new Error('the language server was ended'))
    if (!this.#process) this.#start()
    this.#timer?.refresh()
    this.#changed = null
    return this.#ask(method, params)
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

  #start() {
    // The server is written in Go. Collecting garbage as its heap grows takes two fifths of the first check's time; it begins to only at this size.
    const env: NodeJS.ProcessEnv = { GOGC: 'off', GOMEMLIMIT: '240MiB', ...process.env }
    // On a path of programs it would find npm and download types for packages that have none; a check of types asks no network.
    for (const name of Object.keys(env)) if (/^path$/i.test(name)) env[name] = ''
    const child = spawn(nativeCompiler(), ['--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true, env })
    this.#process = child
    this.#starts++
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes))
    child.stdin.on('error', () => {})
    child.on('error', () => this.#ended(child))
    child.on('exit', () => this.#ended(child))
    child.unref()
    ;(child.stdin as unknown as Socket).unref()
    void this.#ask('initialize', {
      processId: process.pid, rootUri: null, workspaceFolders: null,
      capabilities: {
        general: { positionEncodings: ['utf-16'] }, workspace: { configuration: true },
        textDocument: {
          completion: { completionItem: { documentationFormat: ['markdown'], labelDetailsSupport: true } },
          hover: { contentFormat: ['markdown'] }, diagnostic: {},
        },
      },
    }).catch(() => {})
    this.#notify('initialized', {})
    // The settings count from the first question on. A document that is opened before it belongs to no project, and the server makes one for it.
    void this.#ask('workspace/symbol', { query: '\0' }).catch(() => {})
    this.#changed = null
    const isEntry = (uri: string) => Number(uri.endsWith(`/${this.#options.entry}`))
    for (const uri of [...this.#documents.keys()].sort((a, b) => isEntry(a) - isEntry(b))) this.#open(uri)
    this.#timer = setTimeout(() => this.#waiting.size ? this.#timer?.refresh() : this.#stop(), this.#options.idle).unref()
  }

  #stop() {
    clearTimeout(this.#timer)
    this.#process?.kill()
    if (this.#process) this.#ended(this.#process)
  }

  #ended(child: ChildProcess) {
    if (this.#process !== child) return
    this.#process = null
    this.#received = []
    this.#size = 0
    this.#expected = -1
    for (const { reject } of this.#waiting.values()) reject(new Error('the language server ended'))
    this.#waiting.clear()
  }

  #open(uri: string) {
    const { text, version } = this.#documents.get(uri)!
    const languageId = uri.endsWith('.json') ? 'json' : 'typescript'
    this.#notify('textDocument/didOpen', { textDocument: { uri, languageId, version, text } })
  }

  #ask<T>(method: string, params: unknown): Promise<T> {
    const id = ++this.#last
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#hold()
      this.#send({ id, method, params })
    })
  }

  /** Only an open question keeps the process alive. */
  #hold() {
    const stdout = this.#process?.stdout as unknown as Socket | undefined
    if (this.#waiting.size) stdout?.ref()
    else stdout?.unref()
  }

  #notify(method: string, params: unknown) {
    this.#send({ method, params })
  }

  #send(message: Message) {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#process?.stdin?.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }

  #read(bytes: Buffer) {
    this.#received.push(bytes)
    this.#size += bytes.length
    while (this.#size > 0) {
      if (this.#expected >= 0 && this.#size < this.#expected) return
      const all = this.#received.length === 1 ? this.#received[0] : Buffer.concat(this.#received)
      this.#received = [all]
      if (this.#expected < 0) {
        const end = all.indexOf('\r\n\r\n')
        if (end < 0) return
        this.#expected = Number(/Content-Length: (\d+)/i.exec(all.toString('latin1', 0, end))?.[1] ?? 0)
        this.#keep(all.subarray(end + 4))
        continue
      }
      const message = JSON.parse(all.toString('utf8', 0, this.#expected)) as Message
      this.#keep(all.subarray(this.#expected))
      this.#expected = -1
      this.#receive(message)
    }
  }

  #keep(rest: Buffer) {
    this.#received = rest.length ? [rest] : []
    this.#size = rest.length
  }

  #receive(message: Message) {
    if (message.method) {
      if (message.id === undefined) return
      const items = (message.params as { items?: { section: string }[] })?.items ?? []
      const settings = { customConfigFileName: this.#options.config, suggest: { autoImports: false }, disableAutomaticTypeAcquisition: true }
      return this.#send({ id: message.id, result: message.method === 'workspace/configuration' ? items.map(() => settings) : null })
    }
    const waiting = this.#waiting.get(message.id as number)
    this.#waiting.delete(message.id as number)
    this.#timer?.refresh()
    this.#hold()
    if (message.error) waiting?.reject(new Error(message.error.message))
    else waiting?.resolve(message.result as never)
  }
}
