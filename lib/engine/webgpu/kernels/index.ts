import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { inJavaScript } from '../../in-javascript.ts'
import type { WebGPUBackend } from '../backend.ts'
import { each } from '../program.ts'
import { convolution } from './convolution.ts'
import { normalization } from './normalization.ts'
import { optimizer } from './optimizer.ts'

/** A kernel as TensorFlow.js calls it, and such kernels by name. */
export type Kernels = Record<string, Kernel>
type Kernel = (inputs: Inputs, attributes: Record<string, unknown>, backend: WebGPUBackend) => TensorInfo | TensorInfo[]
type Inputs = Record<string, TensorInfo>

/**
 * Registers what TensorFlow.js 4.22's WebGPU backend lacks, does slowly or gets wrong; text and other rarities run in plain
 * JavaScript.
 */
export function addKernels(backend: WebGPUBackend): void {
  const missing = tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName).filter(name => !tf.getKernel(name, 'webgpu'))
  const rare: Kernels = Object.fromEntries(missing.map(name => [name, inJavaScript(name, backend)]))
  for (const [kernelName, kernel] of Object.entries({ ...rare, ...convolution, ...normalization, ...optimizer, ...types() })) {
    if (tf.getKernel(kernelName, 'webgpu')) tf.unregisterKernel(kernelName, 'webgpu')
    tf.registerKernel({
      kernelName, backendName: 'webgpu',
      kernelFunc: ({ inputs, attrs }) => kernel(inputs as Inputs, (attrs ?? {}) as Record<string, unknown>, backend),
    })
  }
}

/** The backend's own kernels, mended where the GPU has whole numbers: booleans are some there too. */
function types(): Kernels {
  const own = (name: string) => {
    const { kernelFunc } = tf.getKernel(name, 'webgpu')
    return (inputs: Inputs, attrs: Record<string, unknown>, backend: WebGPUBackend) =>
      kernelFunc({ inputs, attrs: attrs as never, backend }) as TensorInfo
  }
  const cast = own('Cast'), transpose = own('Transpose')
  return {
    /** The backend calls whole numbers floats without making them such, and then most of its shaders do not compile. */
    Cast({ x }, attrs, backend) {
      const whole = attrs.dtype === 'float32' && backend.tensorMap.get(x.dataId).dtype !== 'float32'
      if (!whole || x.shape.includes(0)) return cast({ x }, attrs, backend)
      return each(backend, { key: 'float', inputs: { x }, shape: x.shape }, 'value = f32(x[index]);')
    },
    /** Its shader takes floats alone. */
    Transpose({ x }, attrs, backend) {
      if (backend.tensorMap.get(x.dataId).dtype === 'float32') return transpose({ x }, attrs, backend)
      const from = attrs.perm as number[], shape = from.map(axis => x.shape[axis])
      const strides = [...tf.util.computeStrides(x.shape), 1]
      const axes = from.map((axis, i) => ({ [`side${i}`]: shape[i], [`stride${i}`]: strides[axis] }))
      const numbers = Object.assign({}, ...axes)
      const result = each(backend, { key: `transpose ${shape.length}`, inputs: { x }, shape, numbers, whole: true }, `
        var rest = index;
        var at = 0;
        ${axes.map((_, i) => `at += rest % uniforms.side${i} * uniforms.stride${i}; rest /= uniforms.side${i};`)
          .reverse().join('\n')}
        value = x[at];`)
      backend.tensorMap.get(result.dataId).dtype = x.dtype
      return { ...result, dtype: x.dtype }
    },
  }
}
