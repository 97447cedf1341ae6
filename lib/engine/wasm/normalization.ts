import type * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { addressOf, withScratch } from './memory.ts'
import type { Kernels, Module } from './memory.ts'

/** The kernels of lib/engine/normalize.ts and lib/engine/gradients.ts. */
export function normalizationKernels(backend: BackendWasm, module: Module): Kernels {
  const at = (tensor: tf.TensorInfo | undefined) => tensor ? addressOf(backend, tensor) : 0
  const output = (shape: number[]) => backend.makeOutput(shape, 'float32')

  return {
    NormalizeBatch({ x, gamma, beta }, { epsilon }) {
      const channels = x.shape.at(-1)!, rows = count(x) / channels
      const y = output(x.shape), mean = output([channels]), variance = output([channels])
      withScratch(backend, module.normalizationScratch(channels), (scratch) =>
        module.normalize(at(y), at(mean), at(variance), at(x), at(gamma), at(beta), rows, channels, epsilon as number, scratch))
      return [y, mean, variance]
    },

    NormalizeBatchGrad({ dy, x, mean, variance, gamma }, { epsilon }) {
      const channels = x.shape.at(-1)!, rows = count(x) / channels
      const dx = output(x.shape), dgamma = output([channels]), dbeta = output([channels])
      withScratch(backend, module.normalizationScratch(channels), (scratch) => module.normalizeGradient(
        at(dx), at(dgamma), at(dbeta), at(dy), at(x), at(mean), at(variance), at(gamma), rows, channels, epsilon as number, scratch))
      return [dx, dgamma, dbeta]
    },

    ClipGrad({ dy, y }, { low, high }) {
      const dx = output(y.shape)
      module.clipGradient(at(dx), at(y), at(dy), count(y), low as number, high as number)
      return dx
    },
  }
}

const count = (tensor: tf.TensorInfo) => tensor.shape.reduce((product, side) => product * side, 1)
