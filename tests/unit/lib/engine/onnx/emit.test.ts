import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toOnnx } from '../../../../../lib/engine/onnx/emit.ts'
import { onnxRuntime, openSession } from '../../../../../lib/engine/onnx/runtime.ts'
import { tf } from '../../../../../lib/tf.ts'
import { difference, numbers, tensorOf } from '../numbers.ts'
import { modelOf, zoo } from './zoo.ts'

const runtime = onnxRuntime(), skip = runtime.ort ? false : runtime.reason
const count = 3

async function run(model: Uint8Array): Promise<{ dims: readonly number[], data: Float32Array }> {
  const session = await openSession(runtime.ort!, model)
  const { output } = await session.run({ input: new runtime.ort!.Tensor('float32', numbers(count * 7 * 9 * 4), [count, 7, 9, 4]) })
  await session.release()
  return { dims: output.dims, data: output.data as Float32Array }
}

describe('a model written as ONNX gives in ONNX Runtime what TensorFlow.js gives', { skip }, () => {
  for (const name of Object.keys(zoo)) {
    test(name, async () => {
      const model = modelOf(name), expected = model.predict(tensorOf([count, 7, 9, 4])) as tf.Tensor
      const { dims, data } = await run(toOnnx(model))
      assert.deepEqual([...dims], expected.shape)
      assert.ok(difference(data, expected.dataSync()) < 1e-5, `${difference(data, expected.dataSync())}`)
    })
  }
})

test('a part of a model is written too', { skip }, async () => {
  const model = modelOf('normalization folded'), { inputs } = model, middle = model.layers[2].output as tf.SymbolicTensor
  const expected = tf.model({ inputs, outputs: middle }).predict(tensorOf([count, 7, 9, 4])) as tf.Tensor
  assert.ok(difference((await run(toOnnx({ inputs, outputs: [middle] }))).data, expected.dataSync()) < 1e-5)
})

test('writing a model leaves its weights as they are', () => {
  const model = modelOf('normalization folded'), before = model.getWeights().map((weight) => weight.dataSync().join())
  toOnnx(model)
  assert.deepEqual(model.getWeights().map((weight) => weight.dataSync().join()), before)
})

test('a layer without a counterpart is named', () => {
  const input = tf.input({ shape: [8, 3] })
  const model = tf.model({ inputs: input, outputs: tf.layers.gru({ units: 2, name: 'memory' }).apply(input) as tf.SymbolicTensor })
  assert.throws(() => toOnnx(model), { name: 'GraftError', message: "cannot write the model as ONNX: layer 'memory': ONNX cannot say layers of class GRU." })
})
