import type { TensorInfo } from '@tensorflow/tfjs-core'
import { each, sumRows } from '../program.ts'
import type { Kernels } from './index.ts'

/** The kernels of lib/engine/normalize.ts and lib/engine/gradients.ts, and sums over outer axes, each in a few passes. */
export const normalization: Kernels = {
  NormalizeBatch({ x, gamma, beta }, { epsilon }, backend) {
    const shape = [x.shape.at(-1)!], rows = sizeOf(x) / shape[0], floats = { share: 1 / rows, epsilon: epsilon as number }
    const mean = sumRows(backend, { key: 'mean', inputs: { x }, shape, floats }, rows,
      'term = x[row * uniforms.columns + column] * uniforms.share;')
    const variance = sumRows(backend, { key: 'variance', inputs: { x, mean }, shape, floats }, rows, `
      let distance = x[row * uniforms.columns + column] - mean[column];
      term = distance * distance * uniforms.share;`)
    const inputs = { x, mean, variance, gamma, ...beta && { beta } }, numbers = { channels: shape[0] }
    const y = each(backend, { key: `normalize ${Boolean(beta)}`, inputs, shape: x.shape, numbers, floats }, `
      let channel = index % uniforms.channels;
      let normal = (x[index] - mean[channel]) * inverseSqrt(variance[channel] + uniforms.epsilon);
      value = normal * gamma[channel]${beta ? ' + beta[channel]' : ''};`)
    return [y, mean, variance]
  },

  /** dx = gamma · (dy − Σdy/n − x̂ · Σ(dy · x̂)/n)/σ; Σ(dy · x̂) is gamma's gradient, Σdy that of beta. */
  NormalizeBatchGrad({ dy, x, mean, variance, gamma }, { epsilon }, backend) {
    const shape = [x.shape.at(-1)!], rows = sizeOf(x) / shape[0], floats = { share: 1 / rows, epsilon: epsilon as number }
    const inputs = { dy, x, mean, variance }
    const beta = sumRows(backend, { key: 'sum of rows', inputs: { x: dy }, shape }, rows,
      'term = x[row * uniforms.columns + column];')
    const scale = sumRows(backend, { key: 'gradient of gamma', inputs, shape, floats }, rows, `
      let at = row * uniforms.columns + column;
      term = dy[at] * (x[at] - mean[column]) * inverseSqrt(variance[column] + uniforms.epsilon);`)
    const all = { ...inputs, gamma, scale, beta }, numbers = { channels: shape[0] }
    const dx = each(backend, { key: 'gradient of a normalization', inputs: all, shape: x.shape, numbers, floats }, `
      let channel = index % uniforms.channels;
      let deviation = inverseSqrt(variance[channel] + uniforms.epsilon);
      let normal = (x[index] - mean[channel]) * deviation;
      value = gamma[channel] * deviation * (dy[index] - (beta[channel] + normal * scale[channel]) * uniforms.share);`)
    return [dx, scale, beta]
  },

  ClipGrad({ dy, y }, { low, high }, backend) {
    const bounded = Number.isFinite(high as number), floats = { low: low as number, ...bounded && { high: high as number } }
    return each(backend, { key: `clip ${bounded}`, inputs: { dy, y }, shape: y.shape, floats },
      `if (y[index] > uniforms.low${bounded ? ' && y[index] < uniforms.high' : ''}) { value = dy[index]; }`)
  },
}

const sizeOf = ({ shape }: TensorInfo) => shape.reduce((product, side) => product * side, 1)
