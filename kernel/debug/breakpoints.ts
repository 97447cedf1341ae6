import type { Debugger } from 'node:inspector'
import type { Breakpoint, SourceBreakpoint } from './dap.ts'
import type { Inspector } from './inspector.ts'
import { insideObject } from './symbols.ts'
import type { Script, Scripts, Stop } from './scripts.ts'

interface Wanted extends SourceBreakpoint {
  id: number
  /** Where it is, once a script is there. */
  line: number
  /** Why it cannot be set. */
  message?: string
}

/** The breakpoints that were asked for, by source. They are set in every script of that source, before it runs. */
export class Breakpoints {
  readonly #inspector: Inspector
  readonly #scripts: Scripts
  readonly #wanted = new Map<string, Wanted[]>()
  readonly #set = new Map<string, { path: string, id: number }>()
  readonly #moved: (breakpoint: Breakpoint) => void
  #count = 0

  /** @param moved hears of a breakpoint whose line was found when its script came */
  constructor(inspector: Inspector, scripts: Scripts, moved: (breakpoint: Breakpoint) => void) {
    this.#inspector = inspector
    this.#scripts = scripts
    this.#moved = moved
  }

  /**
   * Replaces the breakpoints of a source.
   * @param lines on which lines of a cell that has not run a breakpoint can be, where that is known
   */
  async replace(path: string, breakpoints: SourceBreakpoint[], lines: number[] | null): Promise<Breakpoint[]> {
    const old = [...this.#set].filter(([, each]) => each.path === path)
    for (const [breakpointId] of old) {
      this.#set.delete(breakpointId)
      await this.#inspector.post('Debugger.removeBreakpoint', { breakpointId })
    }
    const wanted = breakpoints.map(each => ({ ...each, id: ++this.#count }))
    this.#wanted.set(path, wanted)
    const scripts = await this.#scripts.named(path)
    for (const script of scripts) await this.#setIn(script, wanted)
    if (!scripts.length && lines) for (const each of wanted) each.line = lines.find(line => line >= each.line) ?? each.line
    return wanted.map(each => asBreakpoint(path, each))
  }

  /** Sets what is wanted in a script that is about to run. */
  async bind(script: Script): Promise<void> {
    const wanted = this.#wanted.get(script.path)
    if (!wanted) return
    const before = wanted.map(({ line }) => line)
    await this.#setIn(script, wanted)
    wanted.forEach((each, at) => { if (each.line !== before[at]) this.#moved(asBreakpoint(script.path, each)) })
  }

  /** The numbers of the breakpoints that the inspector knows by these ids. */
  idsOf(inspectorIds: string[]): number[] {
    return inspectorIds.flatMap(id => this.#set.get(id)?.id ?? [])
  }

  async #setIn(script: Script, wanted: Wanted[]) {
    const stops = wanted.length ? await this.#scripts.stops(script.id) : []
    for (const each of wanted) {
      const stop = stops.find(({ line }) => line >= each.line)
      if (!stop) continue
      each.line = stop.line
      try {
        const id = await this.#setAt(stop, await this.#conditionOf(each))
        if (id) this.#set.set(id, { path: script.path, id: each.id })
      } catch (error) {
        each.message = (error as Error).message
      }
    }
  }

  async #setAt({ location }: Stop, condition: string): Promise<string | null> {
    try {
      return (await this.#inspector.post<Debugger.SetBreakpointReturnType>('Debugger.setBreakpoint', { location, condition })).breakpointId
    } catch {
      // Two lines may have the same next place to stop: one breakpoint is there already.
      return null
    }
  }

  /** What the engine evaluates to know whether to stop: the condition, the number of times, and what is to be said instead. */
  async #conditionOf({ id, condition, hitCondition, logMessage }: Wanted): Promise<string> {
    const parts: string[] = []
    if (condition?.trim()) parts.push(`(${withoutEnd(await this.#inspector.call('script', condition, []))})`)
    if (hitCondition?.trim()) parts.push(`${insideObject}.hit(${id}, ${JSON.stringify(hitCondition)})`)
    if (logMessage) parts.push(`${insideObject}.log(${templateOf(logMessage)})`)
    return parts.join(' && ')
  }
}

const asBreakpoint = (path: string, { id, line, message }: Wanted): Breakpoint => ({ id, verified: !message, line, source: { path }, ...message && { message } })

const withoutEnd = (script: string) => script.replace(/;\s*$/, '')

/** `loss is {loss}` as JavaScript that makes a text of it. */
function templateOf(message: string): string {
  const texts = message.split(/\{([^{}]*)\}/).map((part, at) => {
    if (at % 2 === 0) return JSON.stringify(part)
    return `(() => { const value = ${part}; return typeof value === 'string' ? value : ${insideObject}.text(value) })()`
  })
  return texts.join(' + ')
}
