import type { Debugger, Runtime } from 'node:inspector'
import { GraftError } from '../../lib/error.ts'
import { Breakpoints } from './breakpoints.ts'
import { threadId, type Arguments, type FromThread, type SourceBreakpoint } from './dap.ts'
import { Exceptions } from './exceptions.ts'
import { Frames } from './frames.ts'
import { argumentOf, Inspector } from './inspector.ts'
import type { Naming } from './naming.ts'
import { Scripts } from './scripts.ts'
import { linesOf } from './syntax.ts'

type Command = (values: Arguments) => object | Promise<object>
type StepKind = 'stepOver' | 'stepInto' | 'stepOut'

/** A step under way: it ends on another line, however many places to stop there are on this one. */
interface Step { kind: StepKind, script: string, line: number, column: number, depth: number }

/** What is there while the debugger is on. */
interface Watch { scripts: Scripts, breakpoints: Breakpoints, exceptions: Exceptions }

/** The code that is passed over: packages' and Graft's own. */
const passed = ['/node_modules/', `^${new URL('../..', import.meta.url).href.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}(kernel|lib)/`]

/**
 * The debugger's part in the child. It lives in the thread that interrupts, so that it can stop the main thread anywhere, and turns what front
 * ends ask in the Debug Adapter Protocol into what the inspector does.
 */
export class Adapter {
  readonly #send: (message: FromThread) => void
  readonly #inspector = new Inspector()
  #watch: Watch | null = null
  #paused: Frames | null = null
  #step: Step | null = null
  #pauseAsked = false
  /** A pause was asked for while no code of the user's ran: it comes with the next that does. */
  #stopsSoon = false
  #interrupting = false

  /** @param send sends a message to the kernel */
  constructor(send: (message: FromThread) => void) {
    this.#send = send
    const { session } = this.#inspector
    session.on('Debugger.scriptParsed', ({ params }) => this.#watch?.scripts.add(params))
    session.on('Debugger.paused', ({ params }) => void this.#onPaused(params).catch(() => this.#resume()))
    session.on('Debugger.resumed', () => this.#onResumed())
  }

  /** Answers a request of the kernel's. */
  async receive(id: number, command: string, values: Arguments): Promise<void> {
    try {
      const answer = Object.hasOwn(this.#commands, command) ? this.#commands[command] : null
      if (!answer) throw new GraftError(`the debugger does not know '${command}'`)
      this.#send({ debug: id, body: await answer(values) })
    } catch (error) {
      this.#send({ debug: id, error: (error as Error).message })
    }
  }

  /** Lets the main thread run to its interrupt; until {@link Adapter.takeHold} nothing stops it. */
  async letGo(): Promise<void> {
    if (!this.#watch) return
    this.#interrupting = true
    await this.#inspector.post('Debugger.setSkipAllPauses', { skip: true })
    if (this.#paused) await this.#resume()
  }

  takeHold(): void {
    if (!this.#interrupting) return
    this.#interrupting = false
    void this.#inspector.post('Debugger.setSkipAllPauses', { skip: false })
  }

  readonly #commands: Record<string, Command> = {
    start: values => this.#start(values as unknown as Naming),
    stop: () => this.#stop(),
    setBreakpoints: async ({ path, breakpoints, code }) => {
      const lines = typeof code === 'string' ? linesOf(code) : null
      return { breakpoints: await this.#running.breakpoints.replace(String(path), breakpoints as SourceBreakpoint[], lines) }
    },
    setExceptionBreakpoints: async ({ filters }) => {
      await this.#running.exceptions.watch(Array.isArray(filters) ? filters.map(String) : [])
      return { breakpoints: [] }
    },
    exceptionInfo: () => this.#frames.exceptionInfo(),
    stackTrace: ({ startFrame, levels }) => this.#frames.stackTrace(Number(startFrame ?? 0), Number(levels ?? 0)),
    scopes: ({ frameId }) => this.#frames.scopes(Number(frameId)),
    variables: async ({ variablesReference, start, count }) => {
      const variables = await this.#inspector.call('parts', Number(variablesReference)), from = Number(start ?? 0)
      return { variables: variables.slice(from, count ? from + Number(count) : undefined) }
    },
    setVariable: ({ variablesReference, name, value }) => this.#frames.setVariable(Number(variablesReference), String(name), String(value)),
    evaluate: async ({ expression, frameId, context }) => {
      const source = String(expression)
      const value = this.#paused ? await this.#paused.evaluate(source, frameId === undefined ? null : Number(frameId), { isHover: context === 'hover' }) : await this.#evaluate(source)
      const { value: result, name, ...shown } = await this.#inspector.callWith('show', [argumentOf(value), { value: this.#paused !== null }])
      return { result, ...shown }
    },
    inspectVariables: async () => ({ variables: await this.#inspector.call('inspect') }),
    richInspectVariables: async ({ variableName, frameId }) => {
      const name = String(variableName)
      const value = this.#paused ? await this.#paused.evaluate(name, frameId === undefined ? null : Number(frameId)) : await this.#evaluate(name)
      return this.#inspector.callWith('bundle', [argumentOf(value), { value: this.#paused !== null }], { waits: !this.#paused })
    },
    copyToGlobals: async ({ srcVariableName, srcFrameId, dstVariableName }) => {
      const value = await this.#frames.evaluate(String(srcVariableName), Number(srcFrameId))
      await this.#inspector.callWith('declare', [{ value: String(dstVariableName) }, argumentOf(value)])
      const { name, ...shown } = await this.#inspector.callWith('show', [argumentOf(value), { value: true }])
      return shown
    },
    modules: () => ({ modules: this.#running.scripts.files.map(({ name, path }, at) => ({ id: at + 1, name, path })), totalModules: this.#running.scripts.files.length }),
    continue: async () => {
      await this.#goOn()
      return { allThreadsContinued: true }
    },
    next: () => this.#stepBy('stepOver'),
    stepIn: () => this.#stepBy('stepInto'),
    stepOut: () => this.#stepBy('stepOut'),
    pause: async () => {
      if (this.#paused) return {}
      this.#pauseAsked = true
      await this.#inspector.post('Debugger.pause')
      return {}
    },
  }

  get #running(): Watch {
    if (!this.#watch) throw new GraftError('the debugger has not started: expected `initialize` and `attach` first')
    return this.#watch
  }

  get #frames(): Frames {
    if (!this.#paused) throw new GraftError('the notebook is not paused')
    return this.#paused
  }

  async #start(naming: Naming) {
    if (this.#watch) return {}
    await this.#inspector.call('watch', true)
    const scripts = new Scripts(this.#inspector, naming)
    const breakpoints = new Breakpoints(this.#inspector, scripts, breakpoint => this.#tell('breakpoint', { reason: 'changed', breakpoint }))
    this.#watch = { scripts, breakpoints, exceptions: new Exceptions(this.#inspector, scripts) }
    await this.#inspector.post('Debugger.enable')
    await this.#inspector.post('Debugger.setBlackboxPatterns', { patterns: passed })
    // Before a script runs the engine stops, so that its breakpoints are set in time.
    await this.#inspector.post('Debugger.setInstrumentationBreakpoint', { instrumentation: 'beforeScriptExecution' })
    return {}
  }

  async #stop() {
    if (!this.#watch) return {}
    this.#watch = null
    this.#step = null
    this.#stopsSoon = false
    await this.#inspector.post('Debugger.disable')
    await this.#inspector.call('watch', false)
    this.#onResumed()
    return {}
  }

  async #onPaused(event: Debugger.PausedEventDataType) {
    const watch = this.#watch
    if (!watch || this.#interrupting) return this.#resume()
    if (event.reason === 'instrumentation') return this.#onScript(watch, String((event.data as { scriptId?: string })?.scriptId))
    const isException = event.reason === 'exception' || event.reason === 'promiseRejection'
    if (event.reason === 'step' && this.#step && !this.#pauseAsked && await this.#stepsOn(watch, this.#step, event)) return
    if (isException && !await watch.exceptions.isWanted(event)) return this.#step ? this.#stepOn(this.#step.kind) : this.#resume()
    const frames = new Frames(this.#inspector, watch.scripts, event)
    if (await frames.first()) return this.#stopped(frames, watch.breakpoints.idsOf(event.hitBreakpoints ?? []), isException)
    this.#stopsSoon = this.#pauseAsked
    this.#pauseAsked = false
    await this.#resume()
  }

  /** Goes on where a step has not led to another line of the user's; false where it has. */
  async #stepsOn({ scripts }: Watch, step: Step, { callFrames }: Debugger.PausedEventDataType): Promise<boolean> {
    const [{ location }] = callFrames, script = await scripts.find(location.scriptId)
    const at = script && (await scripts.originals(script.id, [location]))[0]
    if (!script) await this.#stepOn('stepOut')
    else if (!at && script.cell !== null && scripts.isEnd(location)) await this.#goOn()
    else if (!at) await this.#stepOn(step.kind === 'stepOut' ? 'stepOver' : step.kind)
    else if (step.script === script.id && step.line === at.line && step.depth === callFrames.length && at.column > step.column) {
      step.column = at.column
      await this.#stepOn(step.kind)
    } else return false
    return true
  }

  async #stopped(frames: Frames, hitBreakpointIds: number[], isException: boolean) {
    const reason = isException ? 'exception' : hitBreakpointIds.length ? 'breakpoint' : this.#pauseAsked ? 'pause' : this.#step ? 'step' : 'breakpoint'
    const text = isException ? frames.thrown : undefined
    this.#paused = frames
    this.#step = null
    this.#pauseAsked = false
    await this.#inspector.call('stopped')
    this.#tell('stopped', { reason, threadId, allThreadsStopped: true, hitBreakpointIds, ...text && { text, description: text } })
  }

  /** A script is about to run. */
  async #onScript({ scripts, breakpoints }: Watch, id: string) {
    const script = await scripts.find(id)
    if (script) await breakpoints.bind(script)
    if (script && this.#stopsSoon) {
      this.#stopsSoon = false
      this.#pauseAsked = true
      await this.#inspector.post('Debugger.pause')
    }
    await this.#resume()
  }

  /** Ends a step, and continues. */
  async #goOn() {
    this.#step = null
    await this.#resume()
    return {}
  }

  async #stepBy(kind: StepKind) {
    this.#step = { kind, ...await this.#frames.place() }
    await this.#stepOn(kind)
    return {}
  }

  async #stepOn(kind: StepKind): Promise<void> {
    await this.#inspector.post(`Debugger.${kind}`)
  }

  async #resume(): Promise<void> {
    await this.#inspector.post('Debugger.resume').catch(() => {})
  }

  #onResumed() {
    if (!this.#paused) return
    this.#paused = null
    void this.#inspector.call('goes').catch(() => {})
    this.#tell('continued', { threadId, allThreadsContinued: true })
  }

  async #evaluate(expression: string): Promise<Runtime.RemoteObject> {
    const source = await this.#inspector.call('script', expression, [])
    return this.#inspector.evaluate(source)
  }

  #tell(event: string, body: object) {
    this.#send({ event, body })
  }
}
