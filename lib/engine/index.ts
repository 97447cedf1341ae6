import { inspect } from 'node:util'
import { displaySymbol } from '../host.ts'
import type { MimeBundle } from '../host.ts'
import { escape } from '../show/format.ts'
import { tf } from '../tf.ts'
import { onnxRuntime, threads } from './onnx/runtime.ts'
import { refusedPredictions } from './predict.ts'
import { remedy, startedEngine, tensorFlow } from './start.ts'
import type { Started } from './start.ts'

/** Which library does the arithmetic, and why. It shows itself in one line. */
export class EngineInfo {
  /** `TensorFlow 2.21.0`, `WASM SIMD` or `plain JavaScript`. */
  readonly name: string
  /** Processor threads that training uses. */
  readonly threads: number
  /** Why this engine. */
  readonly reason: string
  /** What runs the frozen part of a model in training, and a whole one that predicts. */
  readonly frozen: string
  /** Models that predict in the engine itself, with the reason why. */
  readonly exceptions: string[]
  /** Why it is not a faster one, and how to get that; absent where there is none. */
  declare readonly faster?: string

  constructor() {
    const backend = tf.getBackend(), started = startedEngine()!, runtime = onnxRuntime(), tensorflow = tensorFlow()?.runtime
    const graphics = tensorflow?.devices.includes('GPU') ? ' on a GPU (not yet run on one)' : ''
    this.name = backend === 'tensorflow' ? `TensorFlow ${tensorflow!.version}${graphics}` : backend === 'wasm' ? 'WASM SIMD' : backend === 'cpu' ? 'plain JavaScript' : backend
    this.threads = backend === 'tensorflow' ? tensorflow!.threads : 1
    this.reason = backend !== started.name ? 'the program chose it with tf.setBackend' : started.forced ? `GRAFT_ENGINE=${backend} asks for it`
      : started.from ? `found through ${started.from}` : 'the fastest that is here'
    this.frozen = runtime.ort ? `ONNX Runtime ${runtime.version}, ${plural(threads())}` : `the same engine, as ${runtime.reason}`
    this.exceptions = Array.from(refusedPredictions(), ([model, reason]) => `'${model}' predicts in ${this.name}, as ${reason}`)
    const faster = backend === 'tensorflow' ? undefined : this.#faster(backend, started)
    if (faster) this.faster = faster
  }

  #faster(backend: string, started: Started): string {
    if (backend !== started.name) return `await tf.setBackend('${started.name}')`
    if (!started.forced) return `${started.without}; ${remedy}`
    return `unset GRAFT_ENGINE${backend === 'wasm' ? `, and ${remedy}` : ' for WASM SIMD'}`
  }

  toString(): string {
    const faster = this.faster ? ` Faster: ${this.faster}.` : ''
    const exceptions = this.exceptions.map(each => ` ${each}.`).join('')
    return `Engine: ${this.name}, ${plural(this.threads)} (${this.reason}); what is frozen, and a whole model that predicts, runs in ${this.frozen}.${exceptions}${faster}`
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
 * engine()   // Engine: WASM SIMD, 1 thread (the fastest that is here); what is frozen,
 *            // and a whole model that predicts, runs in ONNX Runtime 1.30.0, 2 threads.
 *            // Faster: TensorFlow is not installed; node install.js --engine tensorflow installs it.
 */
export const engine = (): EngineInfo => new EngineInfo()
