import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { threads } from '../onnx/runtime.ts'
import { quietly } from '../quiet.ts'
import { TensorFlowBackend } from './backend.ts'
import type { Wheel } from './find.ts'
import { addKernels } from './kernels/index.ts'
import { loadLibrary } from './library.ts'
import { Runtime } from './runtime.ts'

/** The engine's name, for `GRAFT_ENGINE` and `tf.getBackend()`. */
export const name = 'tensorflow'

/**
 * Loads a wheel's libraries, proves them by a small calculation, and registers the backend `tensorflow`.
 *
 * @throws GraftError where the libraries do not load, or do not do what they should
 */
export function startTensorFlow(wheel: Wheel): TensorFlowBackend {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'
  process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true'
  const runtime = quietly(() => new Runtime(loadLibrary(wheel.framework, wheel.main), { threads: threads() }))
  if (runtime.version !== wheel.version) {
    throw new GraftError(`the wheel in ${wheel.folder} says it is TensorFlow ${wheel.version}, its library ${runtime.version}`)
  }
  prove(runtime)
  const backend = new TensorFlowBackend(runtime)
  addKernels(name, backend)
  tf.registerBackend(name, () => backend, 3)
  return backend
}

/** Each way in and out once, with numbers that are known. */
function prove(runtime: Runtime): void {
  const x = runtime.tensor(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32'), axes = runtime.tensor(Int32Array.of(1), [1], 'int32')
  const [square] = runtime.execute('MatMul', [x, x], { transpose_b: true }, 1)
  const [joined] = runtime.execute('AddN', [[x, square.pointer]], {}, 1)
  const [sum] = runtime.execute('Sum', [joined.pointer, axes], { keep_dims: true }, 1)
  const values = runtime.read(sum)
  for (const pointer of [x, axes, square.pointer, joined.pointer, sum.pointer]) runtime.release(pointer)
  if (sum.shape.join() !== '2,1' || values.join() !== '19,43') {
    throw new GraftError(`the self-test gave [${values.join()}] of shape [${sum.shape.join()}] in place of [19,43] of [2,1]`)
  }
}
