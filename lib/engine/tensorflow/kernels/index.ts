import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { inJavaScript } from '../../in-javascript.ts'
import type { TensorFlowBackend } from '../backend.ts'
import { array } from './array.ts'
import { convolution } from './convolution.ts'
import { elementwise } from './elementwise.ts'
import { image } from './image.ts'
import { normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { product } from './product.ts'
import { reduction } from './reduction.ts'

/** How one of TensorFlow.js's kernels is said in TensorFlow's operations. */
export type Kernel = (inputs: Record<string, TensorInfo>, attributes: Record<string, unknown>, backend: TensorFlowBackend) =>
  TensorInfo | TensorInfo[]
export type Kernels = Record<string, Kernel>

const kernels: Kernels = { ...array, ...convolution, ...elementwise, ...image, ...normalization, ...pooling, ...product, ...reduction }

/** Registers the kernels; those that the table lacks (text, sparse tensors and other rarities) run in plain JavaScript. */
export function addKernels(name: string, backend: TensorFlowBackend): void {
  const all = { ...Object.fromEntries(tf.getKernelsForBackend('cpu').map(({ kernelName }) => [kernelName, unlessTraced(kernelName)])), ...kernels }
  for (const [kernelName, kernel] of Object.entries(all)) {
    tf.registerKernel({
      kernelName, backendName: name,
      kernelFunc: ({ inputs, attrs }) =>
        kernel(inputs as Record<string, TensorInfo>, (attrs ?? {}) as Record<string, unknown>, backend),
    })
  }
}

function unlessTraced(name: string): Kernel {
  return (inputs, attrs, backend) => {
    if (backend.trace) throw backend.trace.refusal(`uses the operation ${name}`)
    return inJavaScript(name, backend)(inputs, attrs)
  }
}
