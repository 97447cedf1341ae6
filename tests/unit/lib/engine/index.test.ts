import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { withoutTensorFlow } from './tensorflow/here.ts'
import { engine } from '../../../../lib/engine/index.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'

test('engine() shows itself in one line, as text and as HTML', async () => {
  await tf.setBackend('wasm')
  const info = engine(), line = inspect(info)
  assert.match(line, /^Engine: WASM SIMD, 1 thread \(.+\); what is frozen, and a whole model that predicts, runs in ONNX Runtime [\d.]+, \d+ threads?\. Faster: /)
  const bundle = info[displaySymbol]()
  assert.equal(bundle['text/plain'], line)
  assert.match(String(bundle['text/html']), /^<div>Engine: <b>WASM SIMD<\/b>, /)
})

test('on the fastest engine it says where that was found, and nothing of a faster one', { skip: withoutTensorFlow }, async () => {
  await tf.setBackend('tensorflow')
  assert.match(String(engine()), /^Engine: TensorFlow 2\.\d+\.\d+, \d+ threads? \(found through GRAFT_TENSORFLOW\); what is frozen, and a whole model that predicts, runs in ONNX Runtime [\d.]+, \d+ threads?\.$/)
})

test('on a slower engine it says how to get the faster one', async () => {
  await tf.setBackend('cpu')
  assert.match(String(engine()), /^Engine: plain JavaScript, .* Faster: await tf\.setBackend\('(tensorflow|wasm)'\)\.$/)
  await tf.setBackend('wasm')
})

test('without TensorFlow it says why, and the command that installs it', () => {
  const code = `import(${JSON.stringify(new URL('../../../../lib/engine/index.ts', import.meta.url).href)}).then(({ engine }) => console.log(String(engine())))`
  const env = { ...process.env, GRAFT_TENSORFLOW: import.meta.dirname }
  const { stdout } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', code], { env, encoding: 'utf8' })
  assert.match(stdout, /^Engine: WASM SIMD, .* Faster: GRAFT_TENSORFLOW: no TensorFlow in .+; node install\.js --engine tensorflow installs it\.\n$/)
})
