import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'
import { userInfo } from 'node:os'

/** The version of the messaging protocol spoken here, in each header and in `kernel_info_reply`. */
export const protocolVersion = '5.6'

/** A message's header (Jupyter client documentation, "Message header"). */
export interface Header {
  msg_id: string
  session: string
  username: string
  date: string
  msg_type: string
  version: string
  /** Which subshell a message on the shell channel is for; the main shell where there is none. */
  subshell_id?: string | null
}

/** A message as it was received: the identities are the route back to its sender. */
export interface Message {
  identities: Buffer[]
  header: Header
  parent: Partial<Header>
  metadata: Record<string, unknown>
  content: Record<string, unknown>
  buffers: Buffer[]
}

/** A message to be sent. Content that is a buffer is JSON already and goes out as it is. */
export interface Outgoing {
  type: string
  content: object | Uint8Array
  parent?: Partial<Header>
  metadata?: object
  identities?: (Uint8Array | string)[]
  buffers?: Uint8Array[]
}

/** Why a message was refused; it is logged and goes no further. */
export class MessageError extends Error {
  override name = 'MessageError'
}

const delimiter = Buffer.from('<IDS|MSG>')

/** How many signatures are remembered against replays, as many as Jupyter's own implementation does. */
const remembered = 65536

/**
 * Packs and unpacks messages of one session: signs those that leave and checks those that come, in constant time.
 *
 * @example
 * const wire = new Wire('key', 'sha256')
 * const frames = wire.pack({ type: 'status', content: { execution_state: 'idle' }, parent: request.header })
 */
export class Wire {
  readonly session: string = randomUUID()
  readonly #key: string
  readonly #hash: string | null
  readonly #username = username()
  readonly #seen = new Set<string>()
  #count = 0

  /** @param hash a digest's name, or null for messages without signatures */
  constructor(key: string, hash: string | null) {
    this.#key = key
    this.#hash = hash
    if (hash) createHmac(hash, key)
  }

  /** A new header, with an id of its own. */
  header(type: string): Header {
    return {
      msg_id: `${this.session}_${this.#count++}`, session: this.session, username: this.#username,
      date: new Date().toISOString(), msg_type: type, version: protocolVersion,
    }
  }

  /** The frames of a message, signature included, and the header it got. */
  pack({ type, content, parent, metadata, identities, buffers }: Outgoing): { header: Header, frames: (Uint8Array | string)[] } {
    const header = this.header(type)
    const parts = [
      JSON.stringify(header), JSON.stringify(parent ?? {}), JSON.stringify(metadata ?? {}),
      content instanceof Uint8Array ? content : JSON.stringify(content),
    ]
    return { header, frames: [...identities ?? [], delimiter, this.#sign(parts), ...parts, ...buffers ?? []] }
  }

  /** The frames of a message that is a content alone, as the start-up handshake has it. */
  packContent(content: object): (Uint8Array | string)[] {
    const part = JSON.stringify(content)
    return [delimiter, this.#sign([part]), part]
  }

  /** The content of such a message, as text. @throws MessageError where it is not whole or wrongly signed */
  unpackContent(frames: Buffer[]): string {
    const start = frames.findIndex(frame => frame.equals(delimiter)), [signature, ...parts] = frames.slice(start + 1)
    if (start < 0 || parts.length !== 1) throw new MessageError('a message that should be a signed content and is not')
    this.#check(signature, parts)
    return parts[0].toString()
  }

  /**
   * The message in these frames.
   * @throws MessageError where the frames are too few, the signature is wrong or was seen before, or a part is no JSON object.
   */
  unpack(frames: Buffer[]): Message {
    const start = frames.findIndex(frame => frame.equals(delimiter))
    if (start < 0) throw new MessageError('a message without the delimiter <IDS|MSG>')
    if (frames.length < start + 6) throw new MessageError(`a message of ${frames.length - start - 1} parts, where at least 5 were expected`)
    const [signature, ...parts] = frames.slice(start + 1, start + 6)
    this.#check(signature, parts)
    const [header, parent, metadata, content] = parts.map(parse)
    if (typeof header.msg_type !== 'string' || typeof header.msg_id !== 'string') {
      throw new MessageError('a message whose header lacks msg_type or msg_id')
    }
    return { identities: frames.slice(0, start), header: header as unknown as Header, parent, metadata, content, buffers: frames.slice(start + 6) }
  }

  #sign(parts: (string | Uint8Array)[]): string {
    if (!this.#hash) return ''
    const hmac = createHmac(this.#hash, this.#key)
    for (const part of parts) hmac.update(part)
    return hmac.digest('hex')
  }

  #check(signature: Buffer, parts: Buffer[]): void {
    if (!this.#hash) return
    const expected = Buffer.from(this.#sign(parts))
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new MessageError('a message with a wrong signature')
    }
    const text = signature.toString()
    if (this.#seen.has(text)) throw new MessageError('a message that came before, with the same signature')
    this.#seen.add(text)
    if (this.#seen.size > remembered) for (const oldest of this.#seen) { this.#seen.delete(oldest); break }
  }
}

function parse(part: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(part.toString())
  } catch (error) {
    throw new MessageError(`a message with a part that is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MessageError('a message with a part that is not a JSON object')
  return value as Record<string, unknown>
}

function username(): string {
  try {
    return userInfo().username
  } catch {
    // Containers run under user ids that have no name.
    return process.env.USER ?? 'kernel'
  }
}
