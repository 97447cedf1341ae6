import { tensorFlow, webGPU } from '../../../../lib/engine/start.ts'
import { tf } from '../../../../lib/tf.ts'

/** Numbers between −1 and 1 that are the same in every run. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed * 2654435761 >>> 0
  return Float32Array.from({ length: count }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 >>> 0
    return state / 2 ** 31 - 1
  })
}

export const size = (shape: readonly (number | null)[]) => shape.reduce<number>((product, side) => product * side!, 1)

export const tensorOf = (shape: number[], seed = 1) => tf.tensor(numbers(size(shape), seed), shape)

/** The largest difference, in units of the largest expected magnitude. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity
  let most = 0, scale = 1e-6
  for (let i = 0; i < expected.length; i++) {
    most = Math.max(most, Math.abs(actual[i] - expected[i]))
    scale = Math.max(scale, Math.abs(expected[i]))
  }
  return Number.isNaN(most) ? Infinity : most / scale
}

/** Runs the same work on the engines that train here and on the reference; what it returns are the numbers of each tensor. */
export async function onEngines(work: () => tf.Tensor[]): Promise<{ cpu: Float32Array[], others: [engine: string, values: Float32Array[]][] }> {
  const others: [string, Float32Array[]][] = []
  // What TensorFlow brings takes the place of Dawn's own in one process.
  const engines = webGPU() ? ['webgpu'] : tensorFlow() ? ['wasm', 'tensorflow'] : ['wasm']
  for (const engine of engines) others.push([engine, await on(engine, work)])
  return { cpu: await on('cpu', work), others }
}

/** Runs the same work on two engines. */
export async function onBoth(work: () => tf.Tensor[]): Promise<{ wasm: Float32Array[], cpu: Float32Array[] }> {
  return { cpu: await on('cpu', work), wasm: await on('wasm', work) }
}

async function on(engine: string, work: () => tf.Tensor[]): Promise<Float32Array[]> {
  await tf.setBackend(engine)
  return tf.tidy(() => work().map((tensor) => Float32Array.from(tensor.dataSync())))
}
