import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { engine } from '../../../../lib/engine/index.ts'
import { displaySymbol } from '../../../../lib/host.ts'
import { tf } from '../../../../lib/tf.ts'

test('engine() shows itself in one line, as text and as HTML', async () => {
  await tf.setBackend('wasm')
  const info = engine(), line = inspect(info)
  assert.match(line, /^Engine: WASM SIMD, 1 thread \(.+\); what is frozen runs in ONNX Runtime [\d.]+, \d+ threads?\. Faster: /)
  assert.match(info.faster!, /TensorFlow.*; node install\.js --engine tensorflow installs it$/)
  const bundle = info[displaySymbol]()
  assert.equal(bundle['text/plain'], line)
  assert.match(String(bundle['text/html']), /^<div>Engine: <b>WASM SIMD<\/b>, /)
})

test('on a slower engine it says how to get the faster one', async () => {
  await tf.setBackend('cpu')
  assert.match(String(engine()), /^Engine: plain JavaScript, .* Faster: await tf\.setBackend\('wasm'\)\.$/)
  await tf.setBackend('wasm')
})
