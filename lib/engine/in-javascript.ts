import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'

type Kernel = (inputs: Record<string, TensorInfo>, attrs: Record<string, unknown>) => TensorInfo | TensorInfo[]

/** A kernel that another engine lacks, run in plain JavaScript: its inputs are brought here, its results back. */
export function inJavaScript(name: string, backend: tf.KernelBackend): Kernel {
  return (inputs, attrs) => {
    const cpu = tf.findBackend('cpu')
    const moved = Object.fromEntries(Object.entries(inputs).map(([key, { dataId, shape, dtype }]) =>
      [key, { dataId: cpu.write(backend.readSync(dataId), shape, dtype), shape, dtype }]))
    const results = tf.getKernel(name, 'cpu').kernelFunc({ inputs: moved, attrs: attrs as never, backend: cpu })
    const back = (Array.isArray(results) ? results : [results]).map(({ dataId, shape, dtype }) =>
      ({ dataId: backend.write(cpu.readSync(dataId), shape, dtype), shape, dtype }))
    for (const { dataId } of [...Object.values(moved), ...Array.isArray(results) ? results : [results]]) cpu.disposeData(dataId)
    return Array.isArray(results) ? back : back[0]
  }
}
