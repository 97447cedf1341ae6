import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { withoutWebGPU } from './here.ts'

describe('training by WebGPU', { skip: withoutWebGPU }, async () => {
  if (withoutWebGPU) return
  process.env.GRAFT_RUNS = 'off'
  const { data, tf, train } = await import('../../../../../lib/index.ts'), { webGPU } = await import('../../../../../lib/engine/start.ts')
  const { DeviceLost } = await import('../../../../../lib/engine/webgpu/lost.ts'), { OutOfMemory } = await import('../../../../../lib/engine/out-of-memory.ts')
  const { difference, numbers, size, tensorOf } = await import('../numbers.ts')
  const card = webGPU()!

  /** A net in small of what convolutional nets are made of, with the same weights each time. */
  function net() {
    const { layers } = tf, model = tf.sequential({ layers: [
      layers.conv2d({ filters: 6, kernelSize: 3, strides: 2, padding: 'same', inputShape: [12, 12, 3] }), layers.batchNormalization(), layers.reLU({ maxValue: 6 }),
      layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }), layers.batchNormalization(), layers.globalAveragePooling2d({}), layers.dense({ units: 3, activation: 'softmax' }),
    ] })
    model.setWeights(model.weights.map((weight, i) => tensorOf(weight.shape as number[], i + 1).mul(0.5).add(weight.name.includes('variance') ? 1 : 0)))
    return model
  }
  const images = await data.tensors(tf.tensor(numbers(size([12, 12, 12, 3])), [12, 12, 12, 3]), Array.from({ length: 12 }, (_, i) => i % 3))
  const options = { epochs: 3, batch: 6, seed: 3, show: false, shuffle: true } as const
  const losses = async (engine: string, during: (epoch: number) => void = () => {}) => {
    await tf.setBackend(engine)
    const model = net(), run = train(model, images, options)
    const watch = setInterval(() => during(run.run?.history.loss.length ?? 0), 1)
    const done = await run.finally(() => clearInterval(watch))
    const weights = await Promise.all(model.getWeights().map(weight => weight.data()))
    model.dispose()
    return { losses: done.history.loss, notes: done.notes, weights: weights.flatMap(values => [...values]) }
  }

  let usual: ReturnType<typeof losses> | undefined
  /** The training that others are held against. */
  const trained = () => usual ??= losses('webgpu')

  test('train() gives the losses and weights of the other engines, normalizations included', async () => {
    const expected = await losses('wasm'), actual = await trained()
    assert.ok(difference(actual.losses, expected.losses) < 1e-3, `${actual.losses} ${expected.losses}`)
    assert.ok(difference(actual.weights, expected.weights) < 1e-2)
  })

  test('steps leave no tensor and no buffer behind', async () => {
    await tf.setBackend('webgpu')
    const model = net()
    await train(model, images, { ...options, epochs: 1 })
    const tensors = tf.memory().numTensors, bytes = card.bufferManager.numBytesUsed, kept = card.bufferManager.numBytesAllocated
    await train(model, images, options)
    assert.equal(tf.memory().numTensors, tensors)
    assert.ok(card.bufferManager.numBytesUsed <= bytes * 1.05 + 4096, `${bytes} → ${card.bufferManager.numBytesUsed}`)
    assert.ok(card.bufferManager.numBytesAllocated <= kept * 1.5, `${kept} → ${card.bufferManager.numBytesAllocated}`)
    model.dispose()
  })

  test('what is larger than the card takes is an error before anything is computed; train() then goes on in parts', async () => {
    await tf.setBackend('webgpu')
    assert.throws(() => tf.zeros([2 ** 29]).add(1), (error: Error) => error instanceof OutOfMemory && /takes tensors of \d+ MiB at most, not 2048 MiB\. Use a smaller batch/.test(error.message))
    const { device, bufferManager } = card, own = device.createBuffer, whole = await trained()
    const limit = bufferManager.numBytesAllocated * 0.7
    for (const buffers of bufferManager.freeBuffers.values()) for (const buffer of buffers.splice(0)) bufferManager.numBytesAllocated -= buffer.size
    let refused = 0
    // A card with less memory: Dawn tells of a buffer without room by an event before it returns.
    device.createBuffer = function (descriptor) {
      if (bufferManager.numBytesAllocated + descriptor.size <= limit) return own.call(this, descriptor)
      refused++
      this.dispatchEvent(Object.assign(new Event('uncapturederror', { cancelable: true }), { error: new GPUOutOfMemoryError('none') }))
      return own.call(this, { size: 4, usage: descriptor.usage })
    }
    try {
      const parts = await losses('webgpu')
      assert.ok(refused > 0)
      assert.match(parts.notes.join('\n'), /Each step took at most \d images at once, for 6 are more than the memory holds/)
      assert.ok(difference(parts.losses, whole.losses) < 0.1, `${parts.losses} ${whole.losses}`)
    } finally {
      device.createBuffer = own
    }
  })

  test('a card that is lost in the second epoch is replaced, the epoch begun anew, and the end is the same', async () => {
    const expected = await trained()
    let lost = false
    const actual = await losses('webgpu', epoch => {
      if (lost || epoch < 1) return
      lost = true
      card.device.destroy()
    })
    assert.ok(lost)
    assert.match(actual.notes.join('\n'), /Epoch [23] was begun anew: the graphics card was lost, and is started again\./)
    assert.deepEqual(actual.losses, expected.losses)
    assert.deepEqual(actual.weights, expected.weights)
  })

  test('model.fit ends with an error that says what is left; the weights are those of the last epoch', async () => {
    await tf.setBackend('webgpu')
    const model = net(), x = tensorOf([12, 12, 12, 3]), y = tf.oneHot(tf.tensor1d(Array.from({ length: 12 }, (_, i) => i % 3), 'int32'), 3)
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' })
    let weights: number[] = []
    const fit = model.fit(x, y, { epochs: 3, batchSize: 6, verbose: 0, callbacks: {
      async onEpochEnd(epoch) { if (epoch === 0) weights = (await Promise.all(model.getWeights().map(weight => weight.data()))).flatMap(values => [...values]) },
      async onBatchBegin(batch) { if (weights.length && batch === 1) card.device.destroy() },
    } })
    await assert.rejects(fit, (error: Error) => error instanceof DeviceLost && /the graphics card was lost \(.+\)\. It is started anew; weights are those of the last epoch's end/.test(error.message))
    assert.deepEqual(model.getWeights().flatMap(weight => [...weight.dataSync()]), weights)
    model.dispose()
  })
})
