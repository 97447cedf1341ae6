import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { convolutionKernels } from './convolution.ts'
import { layoutKernels } from './layout.ts'
import { DrySwitch } from './dry.ts'
import { guardHeap, instantiate } from './memory.ts'
import { normalizationKernels } from './normalization.ts'
import { poolingKernels } from './pooling.ts'
import { wasmTracer } from './tracer.ts'
import type { Tracer } from '../tracing.ts'

/**
 * Registers what TensorFlow.js 4.22's WASM backend lacks for training convolutional nets: both gradients of a depthwise
 * convolution and the filter's gradient of a convolution; a faster gradient of a convolution's input; batch normalization and the
 * gradients of clipped linear units in one pass; faster slices and sums. They take every stride, padding, dilation, channel count
 * and channel multiplier, in NHWC, and give the same bits each time, on every machine.
 *
 * @returns what writes steps down here
 */
export function addKernels(backend: BackendWasm): Tracer {
  guardHeap(backend)
  const dry = new DrySwitch(backend), module = instantiate(backend, compute => dry.muted(compute))
  const kernels = {
    ...convolutionKernels(backend, module), ...normalizationKernels(backend, module), ...layoutKernels(backend, module),
    ...poolingKernels(backend, module),
  }
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const own = tf.getKernel(kernelName, 'wasm')
    if (own) {
      // The backend would set its own kernel up later; ours may call it.
      own.setupFunc?.(backend)
      tf.unregisterKernel(kernelName, 'wasm')
    }
    tf.registerKernel({
      kernelName, backendName: 'wasm',
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as Record<string, tf.TensorInfo>, attrs ?? {}),
    })
  }
  dry.attach()
  return wasmTracer(dry)
}
