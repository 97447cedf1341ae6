import * as tf from '@tensorflow/tfjs'
import { unbroken } from './interrupts.ts'
import { tracer } from './start.ts'
import { Untraceable } from './tracing.ts'
import type { StepFunction, StepTrace } from './tracing.ts'

/** How a step that is run again and again can be run as one function. */
export interface Step {
  /**
   * What the step depends on besides tensors and variables; where it changes, the step is written down anew. Numbers go by value,
   * objects by identity.
   */
  key: unknown[]
  /** What it computes. It is run once, on tensors without values; `trace` is what it is written into. */
  work(feeds: tf.Tensor[], trace: StepTrace): tf.Tensor[]
  /** Is called before it is written down: makes what the step itself must not make, such as an optimizer's variables. */
  prepare?(): void
}

/** Numbers for objects, so that they can be part of a text. */
const numbers = new WeakMap<object, number>()
let last = 0
const numberOf = (value: unknown) => {
  if (typeof value !== 'object' && typeof value !== 'function' || value === null) return JSON.stringify(value)
  if (!numbers.has(value)) numbers.set(value, ++last)
  return `#${numbers.get(value)}`
}

/** So many functions are kept for one thing that is trained: batches differ in size, settings change now and then. */
const most = 8

/**
 * Runs a step as one function, on an engine that can: written down at its first call for each shape of batch and
 * each state of what it depends on. What cannot be written down is told once, and run operation by operation.
 */
export class Repeated {
  readonly #functions = new Map<string, StepFunction>()
  /** Why the step cannot be one function; absent where it can, or where the engine has none. */
  reason: string | undefined

  /** The function for these tensors; `null` where the step is to be run operation by operation. */
  functionFor({ key, work, prepare }: Step, feeds: tf.Tensor[]): StepFunction | null {
    const writer = tracer()
    if (!writer || this.reason) return null
    const name = [tf.getBackend(), ...key.map(numberOf), ...feeds.map(({ shape, dtype }) => `${dtype}[${shape}]`)].join()
    const known = this.#functions.get(name)
    if (known) return known
    prepare?.()
    try {
      const made = unbroken(tf, () => writer.write(feeds, trace => work(feeds, trace)))
      for (const [oldest, traced] of this.#functions) {
        if (this.#functions.size < most) break
        traced.dispose()
        this.#functions.delete(oldest)
      }
      this.#functions.set(name, made)
      return made
    } catch (error) {
      if (!(error instanceof Untraceable)) throw error
      this.reason = error.message
      return null
    }
  }

  /** Takes the functions out of TensorFlow. */
  dispose(): void {
    for (const traced of this.#functions.values()) traced.dispose()
    this.#functions.clear()
  }
}
