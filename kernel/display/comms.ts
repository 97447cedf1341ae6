import type { Comm } from '../../lib/host.ts'
import type { Output } from '../cell/output.ts'

type Listener = (data: unknown, buffers: Uint8Array[]) => void
interface Listeners { message: Listener[], close: (() => void)[] }
type Kind = 'comm_open' | 'comm_msg' | 'comm_close'

/** The comms between this process and front ends (Jupyter messaging, "Custom messages"). */
export class Comms {
  readonly #output: Output
  readonly #open = new Map<string, Listeners>()
  readonly #targets = new Map<string, (comm: Comm, data: unknown) => void>()

  constructor(output: Output) {
    this.#output = output
  }

  /** Opens a comm to a target that front ends know. */
  open(target: string, data: unknown = {}, metadata: object = {}): Comm {
    const comm = this.#add(crypto.randomUUID())
    this.#output.publish('comm_open', { comm_id: comm.id, target_name: target, data }, { metadata, comm: { id: comm.id, target } })
    return comm
  }

  /** Lets front ends open comms to `target`. */
  register(target: string, opened: (comm: Comm, data: unknown) => void): void {
    this.#targets.set(target, opened)
  }

  /** Takes a comm message that came from a front end. */
  receive(kind: Kind, content: { comm_id?: string, target_name?: string, data?: unknown }, buffers: Uint8Array[]): void {
    const id = String(content.comm_id)
    if (kind === 'comm_open') {
      const opened = this.#targets.get(String(content.target_name))
      if (opened) opened(this.#add(id), content.data)
      else this.#output.publish('comm_close', { comm_id: id, data: {} }, { comm: { id } })
      return
    }
    const listeners = this.#open.get(id)
    if (kind === 'comm_close') {
      this.#open.delete(id)
      for (const listener of listeners?.close ?? []) listener()
    } else for (const listener of listeners?.message ?? []) listener(content.data, buffers)
  }

  #add(id: string): Comm {
    const listeners: Listeners = { message: [], close: [] }
    const comm: Comm = {
      id,
      send: (data, buffers) => this.#output.publish('comm_msg', { comm_id: id, data }, { buffers }),
      onMessage: listener => { listeners.message.push(listener) },
      onClose: listener => { listeners.close.push(listener) },
      close: () => {
        if (this.#open.delete(id)) this.#output.publish('comm_close', { comm_id: id, data: {} }, { comm: { id } })
      },
    }
    this.#open.set(id, listeners)
    return comm
  }
}
