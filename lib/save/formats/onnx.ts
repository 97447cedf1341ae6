import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { cardOf } from '../../card.ts'
import { toOnnx } from '../../engine/onnx/emit.ts'
import { onnxRuntime, openSession } from '../../engine/onnx/runtime.ts'
import { GraftError } from '../../error.ts'
import { tf } from '../../tf.ts'
import { h5Places, readWeights } from '../weights.ts'
import type { Format } from './format.ts'

/** Protocol Buffers holds no more in one message. */
const limit = 2 ** 31 - 1

/**
 * ONNX, for ONNX Runtime and all that runs it: the computation alone, normalizations folded into convolutions, so it cannot be
 * trained on nor loaded again. Inputs are `input`, `input_1`, …, outputs `output`, `output_1`, …, channels last, the batch free.
 * What a prediction needs is among the model's properties (`classes`, `size`, `range`, `handle`, as JSON).
 */
export const onnx: Format = {
  extension: '.onnx',
  what: 'ONNX Runtime; the computation alone',
  async encode(model) {
    const weights = await readWeights(model, h5Places(model))
    const bytes = Buffer.concat([toOnnx(model), properties(model)])
    if (bytes.byteLength > limit)
      throw new GraftError('the model takes more than 2 GB, which one ONNX file cannot hold. Save as .keras.')
    return {
      parts: [bytes], weights, check: () => runs(bytes, model),
      words: [['ONNX',
        'input `input`, output `output`, channels last; it holds the computation alone: keep a .keras to train on']],
    }
  },
  decode() {
    throw new GraftError('an .onnx file holds a computation, no layers to train or change. Load the .keras or .h5 of the model.')
  },
}

/** `metadata_props` (field 14) of ONNX's ModelProto; a message's fields may follow in any order. */
function properties(model: LayersModel): Uint8Array {
  const writer = new BinaryWriter(), card = cardOf(model)
  const { classes, size, range, handle } = card ?? {}
  for (const [key, value] of Object.entries({ name: model.name, classes, size, range, handle })) {
    if (value === undefined) continue
    writer.tag(14, WireType.LengthDelimited).fork()
    writer.tag(1, WireType.LengthDelimited).string(key)
    writer.tag(2, WireType.LengthDelimited).string(typeof value === 'string' ? value : JSON.stringify(value))
    writer.join()
  }
  return writer.finish()
}

/** Runs what was written in ONNX Runtime beside the model, on noise; resolves to what differs. */
async function runs(bytes: Uint8Array, model: LayersModel): Promise<string | undefined> {
  const loaded = onnxRuntime()
  if (!loaded.ort) return undefined
  const shapes = model.inputs.map(({ shape }) => shape.map((side, axis) => side ?? (axis === 0 ? 2 : 64)))
  const inputs = shapes.map((shape, i) => tf.randomUniform(shape, 0, 1, 'float32', i + 1))
  // Layer by layer: model.predict may run in ONNX Runtime itself.
  const wanted = tf.tidy(() => [model.apply(inputs.length === 1 ? inputs[0] : inputs, { training: false })].flat() as Tensor[])
  const session = await openSession(loaded.ort, bytes)
  try {
    const feeds = await Promise.all(inputs.map(async (input, i) =>
      [i ? `input_${i}` : 'input', new loaded.ort!.Tensor('float32', Float32Array.from(await input.data()), shapes[i])] as const))
    const results = await session.run(Object.fromEntries(feeds))
    for (const [i, tensor] of wanted.entries()) {
      const name = i ? `output_${i}` : 'output', got = results[name].data as Float32Array,
        want = Float32Array.from(await tensor.data())
      const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      if (want.some((value, j) => !(Math.abs(value - got[j]) <= 1e-3 * largest))) return `the output '${name}' in ONNX Runtime`
    }
    return undefined
  } finally {
    tf.dispose([...inputs, ...wanted])
    await session.release()
  }
}
