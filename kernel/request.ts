import type { CellNumber } from './messages.ts'
import type { Shell } from './shells.ts'
import type { Check } from './types.ts'
import type { Header, Message } from './wire/message.ts'
import type { RequestChannel } from './wire/sockets.ts'

/** An `execute_request` on its way through the queue. */
export interface Request {
  id: number
  channel: RequestChannel
  message: Message
  shell: Shell
  /** Once it is its turn: its place among all cells that began, its shell's execution count, its number in errors. */
  begun: number
  count: number
  number: CellNumber
  code: string
  silent: boolean
  store: boolean
  stopOnError: boolean
  stdin: boolean
  expressions: Record<string, unknown>
  /** In the child, after its types were checked. */
  running: boolean
  interrupted: boolean
  /** Its declarations count for the types of cells that came after it: it ended, or another shell's cell began meanwhile. */
  told: boolean
  /** A question to the person at the front end that waits for its answer. */
  question: { number: number, asked: Header, sync: boolean } | null
  /** The check of its types, while it goes on. */
  check: Check | null
}
