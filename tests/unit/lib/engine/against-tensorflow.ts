import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { normalizeBatch } from '../../../../lib/engine/normalize.ts'
import { tf } from '../../../../lib/tf.ts'
import { difference, tensorOf } from './numbers.ts'

type Image = tf.Tensor4D
type Padding = 'same' | 'valid'
type Attributes = [first: number, second: number, third: number]

interface Case { op: string, attributes: (number | string)[], shapes: number[][], results: string[] }

const file = new URL('../../../fixtures/engine/gradients.json', import.meta.url)
export const { tensorflow, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  tensorflow: string
  cases: Case[]
}

const operations: Record<string, (inputs: tf.Tensor[], [a, b, c]: Attributes) => tf.Tensor> = {
  conv2d: ([x, f], [stride, pad, dilation]) => tf.conv2d(x as Image, f as Image, stride, padding(pad), 'NHWC', dilation),
  depthwiseConv2d: ([x, f], [stride, pad, dilation]) => tf.depthwiseConv2d(x as Image, f as Image, stride, padding(pad), 'NHWC', dilation),
  maxPool: ([x], [window, stride, pad]) => tf.maxPool(x as Image, window, stride, padding(pad)),
  avgPool: ([x], [window, stride, pad]) => tf.avgPool(x as Image, window, stride, padding(pad)),
  relu6: ([x]) => tf.relu6(tf.mul(x, 10)),
  upsample: ([x]) => tf.image.resizeNearestNeighbor(x as Image, [14, 12]),
  normalize: ([x, gamma, beta]) => normalizeBatch(x, gamma, beta, 1e-3)[0],
}

const padding = (value: unknown) => String(value).toLowerCase() as Padding

export const titleOf = ({ op, attributes, shapes }: Case) => `${op} ${attributes} on ${shapes.map((shape) => shape.join('×')).join(' and ')}`

/** Holds the engine in use against values and gradients that TensorFlow itself computed. */
export function checkCase({ op, attributes, shapes, results }: Case): void {
  const inputs = shapes.map((shape, i) => tensorOf(shape, i + 1)), run = (...inputs: tf.Tensor[]) => operations[op](inputs, attributes as Attributes)
  const y = run(...inputs), gradients = tf.grads(run)(inputs, tensorOf(y.shape, 9))
  for (const [i, tensor] of [y, ...gradients].entries()) {
    const bytes = Buffer.from(results[i], 'base64'), expected = new Float32Array(new Uint8Array(bytes).buffer)
    assert.ok(difference(tensor.dataSync(), expected) < 1e-5, `result ${i}: ${difference(tensor.dataSync(), expected)}`)
  }
}
