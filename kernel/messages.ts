/** By which errors tell a cell from all others: its execution count; for a cell of a subshell with that shell's number before it, `1.3`. */
export type CellNumber = number | `${number}.${number}`

/** What the kernel asks of its child. Parts: `execute` the code and the user expressions as JSON; `comm` the content as JSON, then buffers. */
export type ToChild =
  | { type: 'execute', cell: number, number: CellNumber, count: number, silent: boolean, stdin: boolean }
  | { type: 'answer', question: number, value: string | null }
  | { type: 'comm', cell: number, kind: 'comm_open' | 'comm_msg' | 'comm_close' }

/** By a cell's name the TypeScript type that its value told, as a declaration: `{ a: 'const a: { size: number }' }`. */
export type ToldTypes = Record<string, string>

/**
 * What the child tells the kernel. `barrier` is the mark the child wrote to file descriptors 1 and 2 just before: what native code wrote
 * there comes first. Parts: `publish` the content as JSON, then buffers; `done` the content of the reply. `aside`: a comm message was taken.
 */
export type ToKernel = { barrier?: number } & (
  | { type: 'ready' }
  | { type: 'publish', cell: number, msgType: string, metadata?: object, comm?: { id: string, target?: string } }
  | { type: 'done', cell: number, status: 'ok' | 'error', result?: string, types?: ToldTypes }
  | { type: 'question', cell: number, question: number, prompt: string, password: boolean, sync: boolean }
  | { type: 'aside', cell: number }
  | { type: 'exit', code: number }
)

/** What goes to the child's interrupt thread, a line of JSON each: it is heard while the main thread is busy. Only the debugger, which lives there, answers. */
export type ToThread = { interrupt: number, force?: boolean } | { answer: string | null } | { debug: number, command: string, values: Record<string, unknown> }

/** The child's file descriptors beside standard input, output and error. */
export const descriptors = { toKernel: 3, fromKernel: 4, toThread: 5 } as const

/** The mark between what native code wrote before and after a point, in the streams of file descriptors 1 and 2. */
export const mark = (nonce: string, barrier: number): string => `\u001b_${nonce}:${barrier}\u001b\\`
