import type { Check } from './types.ts'
import type { Message } from './wire/message.ts'
import type { RequestChannel } from './wire/sockets.ts'

/** An `execute_request` on its way through the queue. */
export interface Request {
  id: number
  channel: RequestChannel
  message: Message
  code: string
  silent: boolean
  store: boolean
  stopOnError: boolean
  stdin: boolean
  expressions: Record<string, unknown>
  /** In the child, after its types were checked. */
  running: boolean
  interrupted: boolean
  /** The check of its types, while it goes on. */
  check: Check | null
}
