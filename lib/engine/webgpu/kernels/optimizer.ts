import { each } from '../program.ts'
import type { Kernels } from './index.ts'

/** The kernel of lib/engine/adam.ts. Weights are many and mostly small: what a step takes is how many programs are started. */
export const optimizer: Kernels = {
  AdamUpdate({ weight, m, v, gradient }, attributes, backend) {
    const { alpha, beta1, beta2, epsilon } = attributes as Record<string, number>, { shape } = weight
    const mean = each(backend, { key: 'Adam: mean', inputs: { m, gradient }, shape, floats: { share: 1 - beta1 } },
      'value = m[index] + (gradient[index] - m[index]) * uniforms.share;')
    const square = each(backend, { key: 'Adam: mean of squares', inputs: { v, gradient }, shape, floats: { share: 1 - beta2 } },
      'value = v[index] + (gradient[index] * gradient[index] - v[index]) * uniforms.share;')
    const next = each(backend, { key: 'Adam: weight', inputs: { weight, m: mean, v: square }, shape, floats: { alpha, epsilon } },
      'value = weight[index] - m[index] * uniforms.alpha / (sqrt(v[index]) + uniforms.epsilon);')
    return [next, mean, square]
  },
}
