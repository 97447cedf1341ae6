import { inspect } from 'node:util'
import { displaySymbol } from '../host.ts'
import type { MimeBundle } from '../host.ts'
import { escape } from '../show/format.ts'
import { tf } from '../tf.ts'
import { onnxRuntime, threads } from './onnx/runtime.ts'
import { refusedPredictions } from './predict.ts'
import { onCard, remedy, startedEngine, tensorFlow, webGPU, withRemedy } from './start.ts'
import type { Started } from './start.ts'
import { mayHaveCard } from './webgpu/find.ts'

/** Which library does the arithmetic, and why. It shows itself in one line. */
export class EngineInfo {
  /** `TensorFlow 2.21.0`, `WebGPU on nvidia-h200`, `WASM SIMD` or `plain JavaScript`. */
  readonly name: string
  /** Processor threads that training uses. */
  readonly threads: number
  /** Why this engine. */
  readonly reason: string
  /** What runs the frozen part of a model in training and, unless the engine is on a graphics card, a whole one that predicts. */
  readonly frozen: string
  /** Models that predict in the engine itself, with the reason why. */
  readonly exceptions: string[]
  /** Why it is not a faster one, and how to get that; absent where there is none. */
  declare readonly faster?: string
  readonly #elsewhere = onCard() ? 'what is frozen runs' : 'what is frozen, and a whole model that predicts, runs'

  constructor() {
    const backend = tf.getBackend(), started = startedEngine()!, runtime = onnxRuntime(), tensorflow = tensorFlow()?.runtime
    this.name = names[backend]?.() ?? backend
    this.threads = backend === 'tensorflow' ? tensorflow!.threads : 1
    this.reason = backend !== started.name ? 'the program chose it with tf.setBackend' : started.forced ? `GRAFT_ENGINE=${backend} asks for it`
      : started.from ? `found through ${started.from}` : 'the fastest that is here'
    this.frozen = runtime.ort ? `ONNX Runtime ${runtime.version}, ${plural(threads())}` : `the same engine, as ${runtime.reason}`
    this.exceptions = Array.from(refusedPredictions(), ([model, reason]) => `'${model}' predicts in ${this.name}, as ${reason}`)
    const faster = this.#faster(backend, started)
    if (faster) this.faster = faster
  }

  #faster(backend: string, started: Started): string | undefined {
    if (backend !== started.name) return `await tf.setBackend('${started.name}')`
    if (backend === 'webgpu' && webGPU()!.facts.software) {
      return 'unset GRAFT_ENGINE: a processor that plays a graphics card is the slowest of all'
    }
    if (backend === 'webgpu') return started.withoutCuda
    if (backend === 'tensorflow') return started.withoutCuda ?? withCard(started)
    if (!started.forced) return [`${started.without}; ${remedy}`, withCard(started)].filter(Boolean).join('; ')
    return `unset GRAFT_ENGINE${backend === 'wasm' ? `, and ${remedy}` : ' for WASM SIMD'}`
  }

  toString(): string {
    const faster = this.faster ? ` Faster: ${this.faster}.` : ''
    const exceptions = this.exceptions.map(each => ` ${each}.`).join('')
    const line = `Engine: ${this.name}, ${plural(this.threads)} (${this.reason}); ${this.#elsewhere} in ${this.frozen}.`
    return line + exceptions + faster
  }

  [inspect.custom](): string {
    return this.toString()
  }

  [displaySymbol](): MimeBundle {
    const text = this.toString()
    return { 'text/plain': text, 'text/html': `<div>${escape(text).replace(escape(this.name), '<b>$&</b>')}</div>` }
  }
}

/** What the engines are called, by their names in TensorFlow.js. */
const names: Record<string, () => string> = {
  tensorflow() {
    const { version, devices } = tensorFlow()!.runtime
    return `TensorFlow ${version}${devices.includes('GPU') ? ` on a GPU ${unproved}` : ''}`
  },
  webgpu() {
    const { name, software } = webGPU()!.facts
    return `WebGPU on ${name} ${software ? '(a processor that plays a graphics card)' : unproved}`
  },
  wasm: () => 'WASM SIMD',
  cpu: () => 'plain JavaScript',
}

/** Stands in this line until the engine has run on a graphics card. */
const unproved = '(its tests have not yet run on a GPU)'

/** Why no graphics card is used, and what to do, on a machine that may have one. */
function withCard({ withoutGraphics: reason }: Started): string | undefined {
  if (!reason || !mayHaveCard()) return
  return `on a graphics card: ${withRemedy(reason)}`
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
