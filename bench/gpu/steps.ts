// Forward and training steps of MobileNetV2 on the engine that GRAFT_ENGINE names, as JSON.
// `node bench/gpu/steps.ts SIDE BATCH ROUNDS [--stock]`; --stock: with TensorFlow.js's own WebGPU kernels in place of the library's.
import { createRequire } from 'node:module'
import type * as TF from '@tensorflow/tfjs'
import { findWebGPU } from '../../lib/engine/webgpu/find.ts'

const stock = process.argv.includes('--stock')
const [side = 64, batch = 4, rounds = 3] = process.argv.slice(2).filter(word => word !== '--stock').map(Number)
const core = createRequire(import.meta.url)('@tensorflow/tfjs') as typeof TF

/** TensorFlow.js's own kernels, before the library puts others in the place of some. */
function stockKernels(): TF.KernelConfig[] {
  const packages = findWebGPU()
  if (typeof packages === 'string') throw new Error(packages)
  createRequire(import.meta.url)(packages.backend)
  return core.getKernelsForBackend('webgpu')
}
const before = stock ? stockKernels() : []
const { tf } = await import('../../lib/tf.ts'), { mobileNetV2 } = await import('../train/mobilenet.ts')
const { engine } = await import('../../lib/engine/index.ts')
const { GroupedOptimizer } = await import('../../lib/train/optimizers.ts')
if (stock) {
  for (const { kernelName } of tf.getKernelsForBackend('webgpu')) tf.unregisterKernel(kernelName, 'webgpu')
  before.forEach(kernel => tf.registerKernel(kernel))
}

const base = mobileNetV2(side)
const head = tf.layers.dense({ units: 10, activation: 'softmax' })
const model = tf.model({ inputs: base.inputs, outputs: head.apply(base.outputs[0]) as TF.SymbolicTensor })
model.compile({ optimizer: new GroupedOptimizer('adam', () => 1e-3), loss: 'categoricalCrossentropy' })
const x = tf.randomUniform([batch, side, side, 3], 0, 1, 'float32', 1)
const y = tf.oneHot(tf.tensor1d(Array.from({ length: batch }, (_, i) => i % 10), 'int32'), 10)

/** The median of some rounds after two that make everything ready, in milliseconds; each waits for its result. */
async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = -2; round < rounds; round++) {
    const start = performance.now()
    await work()
    if (round >= 0) times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]
}

const read = async (tensor: TF.Tensor) => {
  await tensor.data()
  tensor.dispose()
}
const forward = await median(() => read(tf.tidy(() => model.apply(x, { training: false }) as TF.Tensor)))
const step = await median(async () => {
  await model.trainOnBatch(x, y)
  // Steps are handed to the card without waiting; the last layer's weights are changed last.
  await model.trainableWeights.at(-1)!.read().data()
})
console.log(JSON.stringify({ engine: engine().name, side, batch, forward, step, tensors: tf.memory().numTensors }))
