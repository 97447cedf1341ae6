import type { Tensor } from '@tensorflow/tfjs'
import { tensorOf } from '../pinned.ts'
import type { StepFunction, StepTrace, Tracer } from '../tracing.ts'
import type { TensorFlowBackend } from './backend.ts'
import { Traced } from './traced.ts'

/** Steps as functions of TensorFlow. */
export function tensorFlowTracer(backend: TensorFlowBackend): Tracer {
  return {
    get current() { return backend.trace },
    write: (feeds: Tensor[], work: (trace: StepTrace) => Tensor[]): StepFunction => new Traced(backend, feeds, work),
    promise: results => results.map(({ shape, dtype }) => tensorOf(backend.adopt({ shape, dtype }))),
    fulfil(promised, values) {
      promised.forEach((tensor, i) => {
        if (!tensor.isDisposed) backend.held(tensor.dataId).pointer = backend.runtime.share(backend.pointer(values[i]))
      })
    },
  }
}
