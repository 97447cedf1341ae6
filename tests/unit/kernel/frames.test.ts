import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { encodeFrame, FrameReader } from '../../../kernel/frames.ts'

const sent = [
  { header: { type: 'ready' }, parts: [] },
  { header: { type: 'publish', cell: 1, text: 'ü' }, parts: [Buffer.from('{"a":1}'), Buffer.alloc(0), Buffer.from([0, 255])] },
  { header: { type: 'big' }, parts: [Buffer.alloc(100_000, 7)] },
]
const stream = Buffer.concat(sent.map(({ header, parts }) => encodeFrame(header, parts)))

suite('frames', () => {
  for (const size of [1, 3, 1000, stream.length]) {
    test(`come whole through pieces of ${size} bytes`, () => {
      const reader = new FrameReader(), received = []
      for (let at = 0; at < stream.length; at += size) received.push(...reader.push(stream.subarray(at, at + size)))
      assert.deepEqual(received.map(({ header, parts }) => ({ header, parts: parts.map(part => Buffer.from(part)) })), sent)
    })
  }
})
