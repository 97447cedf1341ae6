import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

interface Message {
  parent_header: { msg_id?: string }
  header: { msg_type: string }
  content: Record<string, unknown>
  channel: string
}

/** What a cell gave: its output, its value as text, and how it ended. */
export interface Answer { text: string, value: string, status: string, error: string }

/** Waits for something, by asking for it again and again; the last refusal is in the error. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, seconds = 60): Promise<T> {
  let last: unknown
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(200)) {
    try {
      const found = await ask()
      if (found) return found
    } catch (error) {
      last = error
    }
  }
  throw new Error(`no ${what} after ${seconds} s: ${String(last)}`)
}

/** A server that speaks Jupyter's REST interface: Jupyter Server, a hub's single-user server, a kernel gateway. */
export class Server {
  readonly url: string
  readonly token: string

  constructor(url: string, token: string) {
    this.url = url
    this.token = token
  }

  async ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method, headers: { authorization: `token ${this.token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(-400)}`)
    return text ? JSON.parse(text) : undefined
  }

  async start(name: string): Promise<Kernel> {
    const { id } = await this.ask('POST', '/api/kernels', { name, env: { KERNEL_USERNAME: 'ann' } }) as { id: string }
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/api/kernels/${id}/channels?token=${this.token}`)
    await new Promise((done, fail) => Object.assign(socket, { onopen: done, onerror: fail }))
    return new Kernel(this, id, socket)
  }
}

export class Kernel {
  readonly id: string
  readonly #server: Server
  readonly #socket: WebSocket

  constructor(server: Server, id: string, socket: WebSocket) {
    this.#server = server
    this.id = id
    this.#socket = socket
  }

  /** Runs a cell. `begun` is called when its first output is there. */
  run(code: string, begun: () => void = () => {}): Promise<Answer> {
    const id = randomUUID(), answer: Answer = { text: '', value: '', status: '', error: '' }
    const date = new Date().toISOString()
    const header = { msg_id: id, msg_type: 'execute_request', username: '', session: id, date, version: '5.3' }
    let idle = false
    return new Promise(done => {
      const hear = ({ data }: MessageEvent) => {
        const { parent_header, header, content } = JSON.parse(String(data)) as Message
        if (parent_header.msg_id !== id) return
        if (header.msg_type === 'stream') {
          answer.text += content.text as string
          begun()
        }
        if (header.msg_type === 'execute_result') answer.value = (content.data as Record<string, string>)['text/plain']
        if (header.msg_type === 'error') answer.error = `${content.ename as string}: ${content.evalue as string}`
        if (header.msg_type === 'execute_reply') answer.status = content.status as string
        idle ||= header.msg_type === 'status' && content.execution_state === 'idle'
        // The reply and the output come on channels of their own: either may be first.
        if (!answer.status || !idle) return
        this.#socket.removeEventListener('message', hear)
        done(answer)
      }
      this.#socket.addEventListener('message', hear)
      const content = { code, silent: false, store_history: true, user_expressions: {}, allow_stdin: false, stop_on_error: true }
      this.#socket.send(JSON.stringify({ channel: 'shell', header, parent_header: {}, metadata: {}, content, buffers: [] }))
    })
  }

  interrupt(): Promise<unknown> {
    return this.#server.ask('POST', `/api/kernels/${this.id}/interrupt`)
  }

  async end(): Promise<void> {
    this.#socket.close()
    await this.#server.ask('DELETE', `/api/kernels/${this.id}`)
  }
}
