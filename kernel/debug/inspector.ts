import type { Runtime } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { GraftError } from '../../lib/error.ts'
import { insideObject, type Inside } from './symbols.ts'

/** An inspector session to the main thread, and calls of what {@link Inside} offers there. */
export class Inspector {
  readonly session = new Session()
  #inside: Promise<string> | null = null

  constructor() {
    this.session.connectToMainThread()
  }

  /** Sends a command of the inspector's protocol; Node's own types know only some of their options. */
  post<T = void>(method: string, parameters: object = {}): Promise<T> {
    return this.session.post(method, parameters) as Promise<unknown> as Promise<T>
  }

  /** Calls a function of the main thread's that takes and gives plain data, also inside a loop, or while that is paused. */
  async call<K extends keyof Inside>(name: K, ...values: Parameters<Inside[K]>): Promise<Awaited<ReturnType<Inside[K]>>> {
    await this.load()
    const expression = `${insideObject}.${name}(${values.map(value => JSON.stringify(value) ?? 'undefined').join(', ')})`
    return answerOf(await this.post<Evaluated>('Runtime.evaluate', { expression, returnByValue: true, disableBreaks: true }))
  }

  /** The same with values that are objects there. @param waits for a promise: not while the main thread is paused, where none is kept */
  async callWith<K extends keyof Inside>(name: K, values: Runtime.CallArgument[], { waits = false } = {}): Promise<Awaited<ReturnType<Inside[K]>>> {
    const functionDeclaration = `function (...values) { return this.${name}(...values) }`
    const options = { objectId: await this.load(), functionDeclaration, arguments: values, returnByValue: true, awaitPromise: waits, silent: true }
    return answerOf(await this.post<Evaluated>('Runtime.callFunctionOn', options))
  }

  /** Evaluates an expression where no frame is paused; waits for a promise. @throws Error that says what it threw */
  async evaluate(expression: string): Promise<Runtime.RemoteObject> {
    await this.load()
    return resultOf(await this.post<Evaluated>('Runtime.evaluate', { expression, silent: true, disableBreaks: true }))
  }

  /** Loads the main thread's part, once; gives the id of its object. */
  load(): Promise<string> {
    return this.#inside ??= this.#load()
  }

  async #load() {
    // As main.js has it, so that it finds the modules that hold the cells.
    const expression = `globalThis[Symbol.for('graft.load')]('./debug/inside.ts'), ${insideObject}`
    const { result, exceptionDetails } = await this.post<Evaluated>('Runtime.evaluate', { expression, silent: true })
    if (exceptionDetails || !result.objectId) throw new GraftError(`the debugger could not start: ${exceptionDetails?.exception?.description ?? 'its part in the notebook is missing'}`)
    return result.objectId
  }
}

/** What comes of an evaluation. */
export interface Evaluated { result: Runtime.RemoteObject, exceptionDetails?: Runtime.ExceptionDetails }

/** What an evaluation gave. @throws Error with the message of what it threw */
export function resultOf({ result, exceptionDetails }: Evaluated): Runtime.RemoteObject {
  if (exceptionDetails) throw new Error(wordOf(exceptionDetails))
  return result
}

const answerOf = (evaluated: Evaluated) => resultOf(evaluated).value

/** An error's name and message, without its stack. */
function wordOf({ exception, text }: Runtime.ExceptionDetails): string {
  return (exception?.description ?? (exception && 'value' in exception ? String(exception.value) : text)).split('\n    at ')[0]
}

/** A value as an argument of another call. */
export function argumentOf({ objectId, value, unserializableValue }: Runtime.RemoteObject): Runtime.CallArgument {
  return objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value }
}
