import { readdirSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { workerData } from 'node:worker_threads'
import { descriptors, type ToThread } from '../messages.ts'
import { hookName, shared } from './interrupt.ts'

// This thread hears the kernel while the main thread is busy. It ends the process when the kernel is gone.

const { numbers, answer } = workerData as { numbers: Int32Array, answer: Uint8Array }
const session = new Session()
session.connectToMainThread()
const socket = new Socket({ fd: descriptors.toThread, readable: true, writable: false })
socket.on('close', () => process.kill(process.pid, 'SIGKILL'))
let requests = 0

createInterface({ input: socket }).on('line', line => {
  const message = JSON.parse(line) as ToThread
  if ('interrupt' in message) interrupt({ request: ++requests, cell: message.interrupt, force: message.force ?? false, start: performance.now(), wait: 1 })
  else hand(message.answer)
})

/** Has the main thread's hook called every few ms until the event loop turned and the cell is over. */
function interrupt({ request, cell, force, start, wait }: { request: number, cell: number, force: boolean, start: number, wait: number }) {
  if (request !== requests) return
  if (Atomics.load(numbers, shared.syncChild)) killChildren()
  const expression = `globalThis[Symbol.for('${hookName}')](${request}, ${cell}, ${Math.round(performance.now() - start)}, ${force})`
  session.post('Runtime.evaluate', { expression, returnByValue: true }, (_, result) => {
    if (result?.result.value === 'over' || Atomics.load(numbers, shared.turned) >= request) return
    setTimeout(() => interrupt({ request, cell, force, start, wait: Math.min(wait * 1.5, 20) }), wait)
  })
}

/** Gives an answer to a question that the main thread waits for. */
function hand(text: string | null) {
  const bytes = Buffer.from(text ?? '').subarray(0, answer.length)
  answer.set(bytes)
  Atomics.store(numbers, shared.length, text === null ? -1 : bytes.length)
  Atomics.store(numbers, shared.answered, 1)
  Atomics.notify(numbers, shared.answered)
}

function killChildren() {
  Atomics.compareExchange(numbers, shared.syncChild, 1, 2)
  for (const pid of descendants(process.pid)) tryKill(pid)
}

/** The processes that this one started, and those they started. */
function descendants(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
    return children.flatMap(child => [child, ...descendants(child)])
  } catch {
    return []
  }
}

function tryKill(pid: number) {
  try {
    process.kill(pid, 'SIGINT')
  } catch {
    // It ended in the meantime.
  }
}
