import { float } from '../backend.ts'
import type { Kernels } from './index.ts'

/** Batch normalization in one pass, in use and in training, with its gradient. */
export const normalization: Kernels = {
  FusedBatchNorm({ x, mean, variance, offset, scale }, { varianceEpsilon }, backend) {
    return backend.compose(run => {
      if (x.shape.length === 4 && mean.shape.length === 1) {
        const ones = () => run('OnesLike', [mean])
        const inputs = [x, scale ?? ones(), offset ?? run('ZerosLike', [mean]), mean, variance]
        return run('FusedBatchNormV3', inputs, { epsilon: varianceEpsilon as number, is_training: false, data_format: 'NHWC' }, 6)
      }
      const inverse = run('Rsqrt', [run('AddV2', [variance, float(varianceEpsilon as number)])])
      const y = run('Mul', [run('Sub', [x, mean]), scale ? run('Mul', [inverse, scale]) : inverse])
      return offset ? run('AddV2', [y, offset]) : y
    })
  },
  /** Gives y, the batch's mean and its variance divided by n − 1, and three tensors that the gradient wants. */
  TrainedBatchNorm: ({ x, scale, offset }, { epsilon }, backend) => {
    const empty = backend.adopt(backend.trace?.constant(new Float32Array(0), [0], 'float32')
      ?? { pointer: backend.runtime.tensor(new Float32Array(0), [0], 'float32'), shape: [0], dtype: 'float32' })
    const results = backend.run('FusedBatchNormV3', [x, scale, offset, empty, empty], { epsilon: epsilon as number, is_training: true, data_format: 'NHWC' }, 6)
    backend.disposeData(empty.dataId)
    return results
  },
  TrainedBatchNormGrad({ dy, x, scale, reserve1, reserve2, reserve3 }, { epsilon }, backend) {
    const results = backend.run('FusedBatchNormGradV3', [dy, x, scale, reserve1, reserve2, reserve3],
      { epsilon: epsilon as number, is_training: true, data_format: 'NHWC' }, 5)
    for (const { dataId } of results.slice(3)) backend.disposeData(dataId)
    return results.slice(0, 3)
  },
  LRN: ({ x }, { depthRadius, bias, alpha, beta }, backend) =>
    backend.run('LRN', [x], { depth_radius: depthRadius as number, bias: bias as number, alpha: alpha as number, beta: beta as number })[0],
  LRNGrad: ({ x, y, dy }, { depthRadius, bias, alpha, beta }, backend) => backend.run('LRNGrad', [dy, x, y],
    { depth_radius: depthRadius as number, bias: bias as number, alpha: alpha as number, beta: beta as number })[0],
}
