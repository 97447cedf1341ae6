import { Session } from 'node:inspector'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { parentPort, workerData } from 'node:worker_threads'
import type { Adapter } from '../debug/adapter.ts'
import { descendants } from '../descendants.ts'
import { descriptors, type ToThread } from '../messages.ts'
import { hookName, shared, type State } from './interrupt.ts'

// This thread hears the kernel while the main thread is busy. It ends the process when the kernel is gone.

const { numbers, answer } = workerData as { numbers: Int32Array, answer: Uint8Array }
const session = new Session()
session.connectToMainThread()
const socket = new Socket({ fd: descriptors.toThread, readable: true, writable: true })
socket.on('close', () => process.kill(process.pid, 'SIGKILL'))
let requests = 0
let debug: Promise<Adapter> | null = null

/** So long is waited for the main thread to pause, in ms. */
const pauseTime = 300

/** A cell's own frame is among so many outermost ones; above them are those of the kernel that called it. */
const outermost = 30

createInterface({ input: socket }).on('line', line => {
  const message = JSON.parse(line) as ToThread
  if ('interrupt' in message) {
    const interrupt = new Interrupt(message.interrupt, message.force ?? false)
    if (debug) void debug.then(adapter => adapter.letGo()).then(() => interrupt.ask())
    else interrupt.ask()
  } else if ('answer' in message) hand(message.answer)
  else void debugging().then(adapter => adapter.receive(message.debug, message.command, message.values))
})

/** The debugger's part in this process, which is loaded with its first request. */
function debugging(): Promise<Adapter> {
  return debug ??= import('../debug/adapter.ts').then(({ Adapter }) => new Adapter(answer => socket.write(`${JSON.stringify(answer)}\n`)))
}

/** One request to end a cell. */
class Interrupt {
  readonly #request = ++requests
  readonly #start = performance.now()
  readonly #cell: number
  readonly #force: boolean
  #wait = 1
  #saved = -1

  constructor(cell: number, force: boolean) {
    this.#cell = cell
    this.#force = force
  }

  get #elapsed(): number {
    return Math.round(performance.now() - this.#start)
  }

  /** Has the main thread's hook called every few ms until the event loop turned and the cell is over. */
  ask(): void {
    if (this.#request !== requests) return
    if (Atomics.load(numbers, shared.syncChild)) killChildren()
    const expression = `globalThis[Symbol.for('${hookName}')](${this.#request}, ${this.#cell}, ${this.#elapsed}, ${this.#force}, ${this.#saved})`
    session.post('Runtime.evaluate', { expression, returnByValue: true }, (_, result) => {
      const state = result?.result.value as State | undefined
      if (state === 'over' || Atomics.load(numbers, shared.turned) >= this.#request) return void debug?.then(adapter => adapter.takeHold())
      if (typeof state === 'object') return this.#save(state.store)
      setTimeout(() => this.ask(), this.#wait)
      this.#wait = Math.min(this.#wait * 1.5, 20)
    })
  }

  /** Pauses the main thread, in whatever loop it is, and stores in the cell's own frame what its loops keep to themselves. */
  #save(store: string) {
    let timer: NodeJS.Timeout
    const goOn = () => {
      clearTimeout(timer)
      session.removeAllListeners('Debugger.paused')
      session.post('Debugger.disable', () => {
        this.#saved = this.#elapsed
        this.ask()
      })
    }
    session.once('Debugger.paused', ({ params: { callFrames } }) => {
      // The names are the copies' alone: where they are not in scope nothing happens.
      for (const { callFrameId } of callFrames.slice(-outermost)) {
        session.post('Debugger.evaluateOnCallFrame', { callFrameId, expression: store, silent: true })
      }
      session.post('Debugger.resume', goOn)
    })
    // Native code cannot be paused; it ends by itself or not at all.
    session.post('Debugger.enable', () => { timer = setTimeout(goOn, pauseTime) })
    session.post('Debugger.pause')
  }
}

// The debugger's first start takes a while, for each script that was loaded: better when nobody waits.
parentPort!.on('message', () => {
  session.post('Debugger.enable', () => session.post('Debugger.disable'))
})

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

function tryKill(pid: number) {
  try {
    process.kill(pid, 'SIGINT')
  } catch {
    // It ended in the meantime.
  }
}
