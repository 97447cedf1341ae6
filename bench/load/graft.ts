// One model in a fresh process, with the whole library as a program imports it: `node graft.ts FOLDER/NAME` prints its measures
// as JSON.
import { readFile } from 'node:fs/promises'
import { tf } from '../../lib/index.ts'
import { lift } from '../../lib/lift/index.ts'
import { relativeError } from '../../tests/fixtures/models/models.ts'

const prefix = process.argv[2]
const { input, output } = JSON.parse(await readFile(`${prefix}.json`, 'utf8')) as Record<string, number[]>
const numbers = new Float32Array(new Uint8Array(await readFile(`${prefix}.f32`)).buffer)
const [count, expected] = [input, output].map(shape => shape.reduce((a, b) => a * b, 1))
const one = numbers.subarray(0, count / input[0]), image = tf.tensor(one, [1, ...input.slice(1)])

globalThis.gc?.()
const before = process.memoryUsage().rss, begin = performance.now()
const { model, report } = await lift(prefix)
const loading = performance.now() - begin, peak = process.resourceUsage().maxRSS * 1024
const features = (model.predict(image) as tf.Tensor).dataSync(), ready = performance.now()
const error = relativeError(features, numbers.subarray(count, count + expected / output[0]))
const weights = report.parameters * 4, opaque = report.opaque.length
console.log(JSON.stringify({ loading, ready, growth: Math.max(peak - before, 0), weights, error, opaque }))
