import { Reply, Router, XPublisher } from 'zeromq'
import { GraftError } from '../../lib/error.ts'
import { endpoint, type Channel, type Connection } from './connection.ts'
import { MessageError, Wire, type Header, type Message, type Outgoing } from './message.ts'
import { Publisher } from './publisher.ts'
import { SendQueue } from './send-queue.ts'

/** So many messages a front end may be behind before the kernel waits for it. */
const behind = 32

/** So long, in ms, the process waits at its end for a front end to take what was sent. */
const linger = 400

/** The channels on which requests come. */
export type RequestChannel = 'shell' | 'control' | 'stdin'

/**
 * The kernel's five sockets. All are bound before one is read, so that no request is answered while another channel is deaf.
 * Each sends through a queue of its own, one message at a time.
 *
 * @example
 * const sockets = new Sockets(connection)
 * await sockets.bind()
 * sockets.read((channel, message) => …)
 * sockets.publish({ type: 'status', content: { execution_state: 'starting' } })
 */
export class Sockets {
  readonly wire: Wire
  readonly #connection: Connection
  readonly #log: (line: string) => void
  readonly #iopub: XPublisher
  readonly #publisher: Publisher
  readonly #heartbeat: Reply
  readonly #routers: Record<RequestChannel, Router>
  readonly #queues: Record<RequestChannel | 'iopub', SendQueue>

  /** @param log where refused messages are reported */
  constructor(connection: Connection, log: (line: string) => void) {
    this.#connection = connection
    this.#log = log
    this.wire = new Wire(connection.key, connection.hash)
    const { curve } = connection
    const options = {
      linger, ipv6: connection.ip.includes(':'), sendHighWaterMark: 0,
      ...curve && { curveServer: true, curvePublicKey: curve.publicKey, curveSecretKey: curve.secretKey },
    }
    const router = () => new Router({ ...options, handover: true })
    this.#routers = { shell: router(), control: router(), stdin: router() }
    this.#iopub = new XPublisher({ ...options, sendHighWaterMark: behind, noDrop: true, verbosity: 'allSubs' })
    this.#publisher = new Publisher(this.#iopub)
    this.#heartbeat = new Reply(options)
    this.#queues = {
      shell: new SendQueue(this.#routers.shell), control: new SendQueue(this.#routers.control),
      stdin: new SendQueue(this.#routers.stdin), iopub: new SendQueue(this.#publisher),
    }
  }

  /** Binds every socket. @throws GraftError that names the address which is taken or does not exist. */
  async bind(): Promise<void> {
    const sockets = { ...this.#routers, iopub: this.#iopub, hb: this.#heartbeat }
    await Promise.all(Object.entries(sockets).map(async ([channel, socket]) => {
      const address = endpoint(this.#connection, channel as Channel)
      try {
        await socket.bind(address)
        // Where the system chose the port, this is it.
        if (this.#connection.registration) this.#connection.ports[channel as Channel] = Number(/\d+$/.exec(socket.lastEndpoint!)![0])
      } catch (error) {
        throw new GraftError(`cannot bind the ${channel} channel to ${address}: ${(error as Error).message}`)
      }
    }))
  }

  /** Starts reading; what is malformed or wrongly signed is logged and dropped. */
  read(receive: (channel: RequestChannel, message: Message) => void): void {
    for (const [channel, socket] of Object.entries(this.#routers)) void this.#readRouter(channel as RequestChannel, socket, receive)
    void this.#beat()
    void this.#welcome()
  }

  /** Sends on a channel to the client that `identities` names, and gives the header the message got. */
  send(channel: RequestChannel, message: Outgoing): Header {
    const { header, frames } = this.wire.pack(message)
    this.#queues[channel].add(frames)
    return header
  }

  /** Publishes to every client. */
  publish(message: Outgoing): void {
    const topic = `kernel.${this.wire.session}.${message.type}`
    this.#queues.iopub.add(this.wire.pack({ ...message, identities: [topic] }).frames)
  }

  /** Bytes published that no client's connection has taken yet. */
  get backlog(): number {
    return this.#queues.iopub.bytes
  }

  /** Calls back once, when what was published so far is on its way. */
  onPublished(listener: () => void): void {
    this.#queues.iopub.onEmpty(listener)
  }

  /** Calls back once, when at most so many published bytes wait. */
  onBelow(bytes: number, listener: () => void): void {
    this.#queues.iopub.onBelow(bytes, listener)
  }

  /** Sends what is queued, then closes. */
  async close(): Promise<void> {
    await Promise.all(Object.values(this.#queues).map(queue => new Promise<void>(done => queue.onEmpty(done))))
    for (const socket of [...Object.values(this.#routers), this.#iopub, this.#heartbeat]) socket.close()
  }

  async #readRouter(channel: RequestChannel, socket: Router, receive: (channel: RequestChannel, message: Message) => void) {
    for await (const frames of socket) {
      try {
        receive(channel, this.wire.unpack(frames))
      } catch (error) {
        this.#log(error instanceof MessageError ? `refused ${error.message} on ${channel}` : `${(error as Error).stack}`)
      }
    }
  }

  async #beat() {
    for await (const frames of this.#heartbeat) await this.#heartbeat.send(frames)
  }

  /** Greets each subscription with `iopub_welcome`, which tells a client that it misses nothing from here on (JEP 65). */
  async #welcome() {
    for await (const [frame] of this.#iopub as unknown as AsyncIterable<Buffer[]>) {
      if (frame[0] !== 1) continue
      const subscription = frame.subarray(1).toString()
      const { frames } = this.wire.pack({ type: 'iopub_welcome', content: { subscription }, identities: [subscription] })
      if (!await this.#publisher.greet(frames)) this.#queues.iopub.add(frames)
    }
  }
}
