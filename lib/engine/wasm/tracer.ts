import { tensorOf } from '../pinned.ts'
import type { Tracer } from '../tracing.ts'
import type { DrySwitch } from './dry.ts'
import { Recorded } from './recorded.ts'
import { Recording } from './recording.ts'

/** Steps as lists of kernels. */
export function wasmTracer(dry: DrySwitch): Tracer {
  let current: Recording | null = null
  return {
    get current() { return current },
    write(feeds, work) {
      const recording = current = new Recording(dry)
      try {
        return new Recorded(dry, feeds, work, recording)
      } finally {
        current = null
      }
    },
    promise: results => results.map(({ shape, dtype }) => tensorOf(dry.backend.makeOutput(shape, dtype))),
    fulfil(promised, values) {
      promised.forEach((tensor, i) => {
        if (!tensor.isDisposed) dry.backend.typedArrayFromHeap(tensor).set(values[i].dataSync() as Float32Array)
      })
    },
  }
}
