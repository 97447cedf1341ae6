import type { Debugger, Runtime } from 'node:inspector'
import type { Inspector } from './inspector.ts'
import type { Scripts } from './scripts.ts'
import { guardsOf, isGuarded, type Guards } from './syntax.ts'

/** How far back calls are followed that have returned a promise by now. */
const asyncDepth = 8

/**
 * Which exceptions stop the notebook. The engine takes each for caught, because the kernel catches what a cell throws; so it is looked up in the
 * scripts whether one of the calls stands where a `catch` guards it.
 */
export class Exceptions {
  readonly #inspector: Inspector
  readonly #scripts: Scripts
  readonly #guards = new Map<string, Promise<{ guards: Guards, lines: number[] }>>()
  #filters: string[] = []

  constructor(inspector: Inspector, scripts: Scripts) {
    this.#inspector = inspector
    this.#scripts = scripts
  }

  /** @param filters `raised`, `uncaught`, both or none */
  async watch(filters: string[]): Promise<void> {
    this.#filters = filters
    await this.#inspector.post('Debugger.setAsyncCallStackDepth', { maxDepth: filters.length ? asyncDepth : 0 })
    await this.#inspector.post('Debugger.setPauseOnExceptions', { state: filters.length ? 'all' : 'none' })
  }

  /** Whether this one does. */
  async isWanted({ callFrames, asyncStackTrace }: Debugger.PausedEventDataType): Promise<boolean> {
    const calls = callFrames.map(({ location }) => location), first = await this.#firstOfUsers(calls)
    if (first === 0 && this.#filters.includes('raised')) return true
    // Whether a promise has a handler that others than the user's code reject cannot be seen, nor for the one of an `import()`.
    if (first < 0 || calls.slice(0, first).some(({ scriptId }) => this.#scripts.urlOf(scriptId).startsWith('node:internal/modules/'))) return false
    for (let trace = asyncStackTrace; trace; trace = trace.parent) calls.push(...trace.callFrames.map(asLocation))
    const last = calls.length - 1 - await this.#firstOfUsers(calls.toReversed())
    const guarded = await Promise.all(calls.slice(0, last + 1).map(location => this.#isGuarded(location)))
    return !guarded.includes(true)
  }

  async #firstOfUsers(calls: Debugger.Location[]): Promise<number> {
    return (await Promise.all(calls.map(({ scriptId }) => this.#scripts.find(scriptId)))).findIndex(Boolean)
  }

  async #isGuarded({ scriptId, lineNumber, columnNumber = 0 }: Debugger.Location): Promise<boolean> {
    // Node's own catches are of no concern to the user, and it throws nothing that it does not want to be seen.
    if (this.#scripts.urlOf(scriptId).startsWith('node:')) return false
    let known = this.#guards.get(scriptId)
    if (!known) this.#guards.set(scriptId, known = this.#read(scriptId))
    const { guards, lines } = await known
    return isGuarded(guards, (lines[lineNumber] ?? 0) + columnNumber)
  }

  async #read(scriptId: string) {
    const { scriptSource } = await this.#inspector.post<Debugger.GetScriptSourceReturnType>('Debugger.getScriptSource', { scriptId })
    const lines = [0, ...[...scriptSource.matchAll(/\n/g)].map(({ index }) => index + 1)]
    return { guards: guardsOf(scriptSource), lines }
  }
}

const asLocation = ({ scriptId, lineNumber, columnNumber }: Runtime.CallFrame): Debugger.Location => ({ scriptId, lineNumber, columnNumber })
