import { setTimeout } from 'node:timers/promises'
import { tf } from '../../lib/tf.ts'
import { optimizerFrom } from '../../lib/train/optimizers.ts'
import { trainStep } from '../../lib/train/step.ts'

const objective = {
  loss: (truth: tf.Tensor, prediction: tf.Tensor) => tf.metrics.categoricalCrossentropy(truth, prediction), metrics: {},
}

/** Thousands of steps of a small convolutional net, some of them stopped, and what they leave behind: nothing. */
export async function soak(steps: number): Promise<void> {
  const input = tf.input({ shape: [28, 28, 1] })
  let x = tf.layers.conv2d({ filters: 8, kernelSize: 3, strides: 2, activation: 'relu' }).apply(input) as tf.SymbolicTensor
  x = tf.layers.batchNormalization().apply(x) as tf.SymbolicTensor
  x = tf.layers.dropout({ rate: 0.3 }).apply(tf.layers.flatten().apply(x)) as tf.SymbolicTensor
  x = tf.layers.dense({ units: 10, activation: 'softmax' }).apply(x) as tf.SymbolicTensor
  const model = tf.model({ inputs: input, outputs: x })
  const trainee = { whole: model, rest: model }, optimizer = optimizerFrom('adam', () => 1e-3)
  console.log('| steps | tensors | values held | memory | ms a step |\n|---|---|---|---|---|')
  let since = performance.now()
  for (let done = 1; done <= steps; done++) {
    const count = 1 + done % 4 * 8, images = tf.randomUniform([count, 28, 28, 1])
    const truth = tf.tidy(() => tf.oneHot(tf.zeros([count], 'int32'), 10).toFloat())
    await trainStep(trainee, objective, optimizer, [images], truth, done, done % 100 === 0 ? () => true : undefined)
    tf.dispose([images, truth])
    if (done % Math.max(1, Math.floor(steps / 10)) === 0) {
      await setTimeout(0)
      const memory = `${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`, each = (performance.now() - since) / (steps / 10)
      console.log(`| ${[done, tf.memory().numTensors, tf.backend().numDataIds(), memory, each.toFixed(1)].join(' | ')} |`)
      since = performance.now()
    }
  }
}
