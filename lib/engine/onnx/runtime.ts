import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import type { InferenceSession, Tensor } from 'onnxruntime-node'

type OnnxRuntime = typeof import('onnxruntime-node')

/**
 * ONNX Runtime's native module, which works at once; the public functions put the same calls off to the event loop's next turn.
 */
interface Native {
  binding: { InferenceSession: new () => NativeSession }
  initOrt(): void
}

interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void
  run(feeds: Record<string, Tensor>, outputs: Record<string, null>, options: object): Record<string, Tensor>
  dispose(): void
}

export type Loaded = { ort: OnnxRuntime, version: string } | { ort: null, reason: string }

let loaded: Loaded | undefined

/** ONNX Runtime, or the reason why there is none: it brings no binary for some platforms. */
export function onnxRuntime(): Loaded {
  return loaded ??= load()
}

function load(): Loaded {
  const require = createRequire(import.meta.url)
  // From 1.30 on its Linux binary would report to its makers over the network; nothing here does that unasked.
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  try {
    const ort = require('onnxruntime-node') as OnnxRuntime
    return { ort, version: ort.env.versions.node ?? ort.env.versions.common }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'MODULE_NOT_FOUND' && message.includes("'onnxruntime-node'"))
      return { ort: null, reason: 'ONNX Runtime is not installed; npx graft install --engine onnxruntime installs it' }
    return { ort: null, reason: `ONNX Runtime does not load on ${process.platform}-${process.arch}: ${message.split('\n')[0]}` }
  }
}

/** Threads for a forward pass: the processors this process may use, or fewer where `OMP_NUM_THREADS` says so. */
export function threads(): number {
  const limit = Number(process.env.OMP_NUM_THREADS)
  return limit >= 1 ? Math.min(Math.floor(limit), availableParallelism()) : availableParallelism()
}

const options = () => ({
  intraOpNumThreads: threads(), interOpNumThreads: 1, logSeverityLevel: 3 as const, // Errors only.
  // Threads that wait by turning in circles take the processor from whatever else runs, above all from the training step that
  // follows.
  extra: { session: { intra_op: { allow_spinning: '0' } } },
})

/** Opens an emitted model. */
export function openSession(ort: OnnxRuntime, model: Uint8Array): Promise<InferenceSession> {
  return ort.InferenceSession.create(model, options())
}

/** A model that is open in ONNX Runtime and answers at once. */
export interface SessionNow {
  run(feeds: Record<string, Tensor>, outputs: string[]): Record<string, Tensor>
  release(): void
}

/** Opens an emitted model without waiting; `null` where ONNX Runtime is not made as it is known to be. */
export function openSessionNow(model: Uint8Array): SessionNow | null {
  let native: Native
  try {
    native = createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as Native
    native.initOrt()
  } catch {
    return null
  }
  const session = new native.binding.InferenceSession()
  session.loadModel(model.buffer, model.byteOffset, model.byteLength, options())
  return {
    run: (feeds, outputs) => session.run(feeds, Object.fromEntries(outputs.map(name => [name, null])), {}),
    release: () => session.dispose(),
  }
}
