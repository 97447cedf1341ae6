import type { Debugger, Runtime } from 'node:inspector'
import { GraftError } from '../../lib/error.ts'
import type { Position } from '../cell/stack.ts'
import { argumentOf, resultOf, type Evaluated, type Inspector } from './inspector.ts'
import { insideObject } from './symbols.ts'
import type { Script, Scripts } from './scripts.ts'

/** A frame of the user's code. */
interface Frame { id: number, call: Debugger.CallFrame, script: Script, at: Position }

let count = 0

/** The stack of a notebook that is paused: the user's own frames, and what can be looked at in them. */
export class Frames {
  readonly #inspector: Inspector
  readonly #scripts: Scripts
  readonly #event: Debugger.PausedEventDataType
  readonly #scopes = new Map<number, Frame>()
  #frames: Promise<Frame[]> | null = null

  constructor(inspector: Inspector, scripts: Scripts, event: Debugger.PausedEventDataType) {
    this.#inspector = inspector
    this.#scripts = scripts
    this.#event = event
  }

  /** The innermost frame of the user's, if there is one. */
  async first(): Promise<Frame | undefined> {
    return (await this.#all())[0]
  }

  /** Where a step begins. */
  async place(): Promise<{ script: string, line: number, column: number, depth: number }> {
    const { script, at } = await this.#frame(null)
    return { script: script.id, ...at, depth: this.#event.callFrames.length }
  }

  async stackTrace(start: number, levels: number): Promise<object> {
    const frames = await this.#all()
    const stackFrames = frames.slice(start, levels ? start + levels : undefined).map(({ id, call, script, at }) =>
      ({ id, name: call.functionName || script.name, source: { name: script.name, path: script.path }, ...at }))
    return { stackFrames, totalFrames: frames.length }
  }

  async scopes(id: number): Promise<object> {
    const frame = await this.#frame(id), { script, call } = frame
    // The cell's own function is the one without a name that stands at its top.
    const own = !call.functionName && script.cell !== null ? script.cell : null
    const names = await this.#namesIn(call), values = ['this', ...names].map(name => `${JSON.stringify(name)}: () => ${name}`)
    const { value: locals } = await this.#evaluateIn(call, `${insideObject}.locals(${JSON.stringify(own)}, { ${values.join(', ')} })`) as { value: number }
    const globals = await this.#inspector.call('globals')
    this.#scopes.set(locals, frame).set(globals, frame)
    const scope = (name: string, variablesReference: number, presentationHint?: string) => ({ name, variablesReference, expensive: false, ...presentationHint && { presentationHint } })
    return { scopes: [scope('Locals', locals, 'locals'), scope('Globals', globals)] }
  }

  /** Evaluates TypeScript in a frame, by default the innermost. @throws Error that says what the expression threw */
  async evaluate(expression: string, id: number | null, { isHover = false } = {}): Promise<Runtime.RemoteObject> {
    const { call } = await this.#frame(id), names = await this.#namesIn(call)
    return this.#evaluateIn(call, await this.#inspector.call('script', expression, names), isHover)
  }

  async setVariable(reference: number, name: string, value: string): Promise<object> {
    const frame = this.#scopes.get(reference)
    const result = frame ? await this.evaluate(`${name} = (${value}\n)`, frame.id) : await this.evaluate(value, null)
    if (!frame) await this.#inspector.callWith('assign', [{ value: reference }, { value: name }, argumentOf(result)])
    return this.#inspector.callWith('show', [argumentOf(result), { value: true }])
  }

  /** What was thrown, in one line. */
  get thrown(): string {
    return textOf(this.#exception).split('\n')[0]
  }

  exceptionInfo(): object {
    const { className } = this.#exception, stackTrace = textOf(this.#exception)
    return {
      exceptionId: className ?? 'Thrown', description: this.thrown, breakMode: 'always',
      details: { message: this.thrown.replace(/^\w+: /, ''), typeName: className, stackTrace },
    }
  }

  #namesIn(call: Debugger.CallFrame): Promise<string[]> {
    return this.#inspector.callWith('names', scopesOf(call))
  }

  async #evaluateIn({ callFrameId }: Debugger.CallFrame, expression: string, throwOnSideEffect = false): Promise<Runtime.RemoteObject> {
    return resultOf(await this.#inspector.post<Evaluated>('Debugger.evaluateOnCallFrame', { callFrameId, expression, silent: true, throwOnSideEffect }))
  }

  get #exception(): Runtime.RemoteObject {
    if (this.#event.reason !== 'exception' && this.#event.reason !== 'promiseRejection') throw new GraftError('the notebook is not paused at an exception')
    return this.#event.data as unknown as Runtime.RemoteObject
  }

  async #frame(id: number | null): Promise<Frame> {
    const frames = await this.#all(), frame = id === null ? frames[0] : frames.find(each => each.id === id)
    if (!frame) throw new GraftError(`there is no frame ${id}: the notebook has gone on since`)
    return frame
  }

  #all(): Promise<Frame[]> {
    return this.#frames ??= Promise.all(this.#event.callFrames.map(async call => {
      const script = await this.#scripts.find(call.location.scriptId)
      const [at] = script ? await this.#scripts.originals(script.id, [call.location]) : []
      return script && at ? [{ id: 0, call, script, at }] : []
    })).then(frames => frames.flat().map(frame => ({ ...frame, id: ++count })))
  }
}

const textOf = ({ description, value }: Runtime.RemoteObject) => description ?? String(value)

/** The scopes of a frame that are the frame's own, from the inside out. */
function scopesOf({ scopeChain }: Debugger.CallFrame): Runtime.CallArgument[] {
  return scopeChain.filter(({ type }) => type !== 'global' && type !== 'script').map(({ object }) => argumentOf(object))
}
