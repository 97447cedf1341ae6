import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import type { InferenceSession } from 'onnxruntime-node'

type OnnxRuntime = typeof import('onnxruntime-node')

export type Loaded = { ort: OnnxRuntime, version: string } | { ort: null, reason: string }

let loaded: Loaded | undefined

/** ONNX Runtime, or the reason why there is none: it brings no binary for some platforms. */
export function onnxRuntime(): Loaded {
  return loaded ??= load()
}

function load(): Loaded {
  const require = createRequire(import.meta.url)
  try {
    const ort = require('onnxruntime-node') as OnnxRuntime
    return { ort, version: ort.env.versions.node ?? ort.env.versions.common }
  } catch (error) {
    return { ort: null, reason: `ONNX Runtime does not load on ${process.platform}-${process.arch}: ${(error as Error).message.split('\n')[0]}` }
  }
}

/** Threads for a forward pass: the processors this process may use, or fewer where `OMP_NUM_THREADS` says so. */
export function threads(): number {
  const limit = Number(process.env.OMP_NUM_THREADS)
  return limit >= 1 ? Math.min(Math.floor(limit), availableParallelism()) : availableParallelism()
}

/** Opens an emitted model. */
export function openSession(ort: OnnxRuntime, model: Uint8Array): Promise<InferenceSession> {
  return ort.InferenceSession.create(model, {
    intraOpNumThreads: threads(), interOpNumThreads: 1, logSeverityLevel: 3, // Errors only.
    // Threads that wait by turning in circles take the processor from whatever else runs, above all from the training step that follows.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
}
