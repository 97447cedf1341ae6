import { access } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { names as libraryNames } from '../lib/names.ts'
import { installHost } from '../lib/host.ts'
import { Cells } from './cell/cells.ts'
import { Interrupts } from './cell/interrupt.ts'
import { Pipe } from './cell/output-pipe.ts'
import { Output } from './cell/output.ts'
import { keepDescriptorsOpen, watchChildProcesses } from './child-watch.ts'
import { Comms } from './display/comms.ts'
import { makeDisplay } from './display/display.ts'
import { globalsOf } from './display/globals.ts'
import { makeHost } from './display/host.ts'
import { Questions } from './display/input.ts'
import { installStdin } from './display/stdin.ts'
import { shortenTimers } from './display/timers.ts'
import { Executor } from './executor.ts'
import { parse } from './own.ts'
import { ownCell } from './running.ts'
import { vital } from './vital.ts'

// The child process: it holds the user's code and nothing of the protocol. It speaks to the kernel through pipes.

let loopsAreStoppable = false
const pipe = new Pipe(process.env.GRAFT_NONCE ?? '')
delete process.env.GRAFT_NONCE
const output = new Output((header, parts, options) => interrupts.guard(() => pipe.send(header, parts, options)))
const interrupts = new Interrupts(id => executor.find(id), (cell, error) => executor.end(cell, error))
const comms = new Comms(output)
const questions = new Questions(output, header => pipe.send(header), ask => interrupts.waitForAnswer(ask))
const own = globalsOf(output, makeDisplay(output, comms, bundle => ownCell()?.pages.push(bundle)), questions)
// An import that is torn apart stays broken for the life of the process, so an interrupt waits for its end.
const library = Object.fromEntries(Object.entries(libraryNames).map(([name, load]) => [name, () => interrupts.section(load)]))
const ready = Object.fromEntries(Object.entries(own).map(([name, value]) => [name, async () => value]))
const cells = new Cells({ folder: process.cwd(), names: { ...library, ...ready } })
const host = makeHost(output, comms, interrupts)
const executor = new Executor({
  cells, output, toldTypes: host.toldTypes, send: (header, parts) => pipe.send(header, parts),
  rested() {
    // What was compiled goes into Node's cache on disk now: this process is not there to do it at its end.
    flushCompileCache()
    interrupts.prepare()
  },
})

output.install()
console.clear = () => own.clear()
installStdin(error => { const cell = ownCell(); if (cell) executor.end(cell, error) })
shortenTimers()
installHost(host)
watchChildProcesses(output, interrupts)
keepDescriptorsOpen()
const fault = vital((error: unknown) => executor.fault(error))
process.on('uncaughtException', fault)
process.on('unhandledRejection', fault)
process.on('exit', code => {
  output.flush()
  pipe.send({ type: 'exit', code }, [], { barrier: true })
})
pipe.listen(({ header, parts: [first, ...rest] }) => {
  if (header.type === 'execute') {
    keepLoopsStoppable()
    executor.start(header, first, rest[0])
  } else if (header.type === 'answer') questions.answer(header.question, header.value)
  else executor.runAside(header.cell, () => comms.receive(header.kind, parse(Buffer.from(first).toString()), rest))
})

/**
 * V8's loop unrolling takes the check for interrupts out of loops that it believes to be short: `while (true) a.push(b)` could never be stopped. Not
 * before it must be: with other flags V8 compiles anew what came compiled with Node, for the thread that starts too.
 */
function keepLoopsStoppable() {
  if (!loopsAreStoppable && Number(process.versions.node.split('.')[0]) <= 25) setFlagsFromString('--no-turboshaft-loop-unrolling')
  loopsAreStoppable = true
}

// What a debugger asks about, should there be one.
Object.defineProperty(globalThis, Symbol.for('graft.parts'), { value: { cells, output } })
interrupts.start()
pipe.send({ type: 'ready' })
// A thread of Node's pool may sleep on although there is work (glibc before 2.41, its bug 25847): what a cell awaits would never come. More
// work wakes it.
setInterval(() => { if (executor.current) access('/', () => {}) }, 1000).unref()
const soon = 20, warm = setInterval(async () => {
  if (executor.current) return
  clearInterval(warm)
  const { warmUp } = await import('./warm-up.ts')
  if (!executor.current) warmUp(output)
}, soon).unref()
