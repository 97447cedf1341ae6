import { inspect } from 'node:util'
import { displaySymbol } from '../host.ts'
import type { MimeBundle } from '../host.ts'
import { escape } from '../show/format.ts'
import { tf } from '../tf.ts'
import { onnxRuntime, threads } from './onnx/runtime.ts'
import { engines } from './start.ts'

/** Which library does the arithmetic, and why. It shows itself in one line. */
export class EngineInfo {
  /** `WASM SIMD` or `plain JavaScript`. */
  readonly name: string
  /** Processor threads that training uses. */
  readonly threads = 1
  /** Why this engine. */
  readonly reason: string
  /** What runs the frozen part of a model. */
  readonly frozen: string
  /** How to get a faster one; absent where there is none. */
  declare readonly faster?: string

  constructor() {
    const backend = tf.getBackend(), wish = process.env.GRAFT_ENGINE, runtime = onnxRuntime()
    this.name = backend === 'wasm' ? 'WASM SIMD' : backend === 'cpu' ? 'plain JavaScript' : backend
    this.reason = wish === backend ? `GRAFT_ENGINE=${wish} asks for it`
      : backend === engines[0] ? 'the fastest that is here' : 'the program chose it with tf.setBackend'
    this.frozen = runtime.ort ? `ONNX Runtime ${runtime.version}, ${plural(threads())}` : `the same engine, as ${runtime.reason}`
    if (backend !== engines[0]) {
      this.faster = wish === backend ? 'unset GRAFT_ENGINE for WASM SIMD'
        : `await tf.setBackend('${engines[0]}')`
    }
  }

  toString(): string {
    const faster = this.faster ? ` Faster: ${this.faster}.` : ''
    return `Engine: ${this.name}, ${plural(this.threads)} (${this.reason}); what is frozen runs in ${this.frozen}.${faster}`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  [displaySymbol](): MimeBundle {
    const text = this.toString()
    return { 'text/plain': text, 'text/html': `<div>${escape(text).replace(escape(this.name), '<b>$&</b>')}</div>` }
  }
}

const plural = (count: number) => `${count} thread${count === 1 ? '' : 's'}`

/**
 * Tells which engine does the arithmetic, why, and how to get a faster one.
 *
 * @example
 * engine()   // Engine: WASM SIMD, 1 thread (the fastest that is here); what is frozen runs in ONNX Runtime 1.30.0, 2 threads.
 */
export const engine = (): EngineInfo => new EngineInfo()
