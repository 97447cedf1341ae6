import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Captured } from '../../../kernel/captured.ts'
import { mark } from '../../../kernel/messages.ts'

const nonce = 'n0nce'
const stream = Buffer.from(`one${mark(nonce, 1)}twö \u001b[31mred\u001b[0m${mark(nonce, 2)}${mark(nonce, 12)}\u001b_other${mark(nonce, 13)}`)

suite('captured output', () => {
  for (const size of [1, 2, 7, stream.length]) {
    test(`is free of marks, in pieces of ${size} bytes`, () => {
      let text = ''
      const captured = new Captured(nonce, piece => { text += piece })
      for (let at = 0; at < stream.length; at += size) captured.push(stream.subarray(at, at + size))
      assert.equal(text, 'onetwö \u001b[31mred\u001b[0m\u001b_other')
      assert.equal(captured.barrier, 13)
    })
  }

  test('text is handed on before its mark comes', () => {
    const pieces: string[] = []
    const captured = new Captured(nonce, piece => pieces.push(piece))
    captured.push(Buffer.from('half a line'))
    assert.deepEqual(pieces, ['half a line'])
    assert.equal(captured.barrier, 0)
  })
})
