import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { MessageError, Wire } from '../../../../kernel/wire/message.ts'

const bytes = (frames: (string | Uint8Array)[]) => frames.map(frame => Buffer.from(frame as string))

suite('messages', () => {
  test('what one side packs the other unpacks', () => {
    const sent = { type: 'comm_msg', content: { a: 'ü' }, parent: { msg_id: 'p' }, metadata: { m: 1 }, identities: ['me'], buffers: [Buffer.from([0, 255])] }
    const { header, frames } = new Wire('key', 'sha256').pack(sent)
    const message = new Wire('key', 'sha256').unpack(bytes(frames))
    assert.deepEqual(message.header, header)
    assert.deepEqual([message.content, message.parent, message.metadata], [sent.content, sent.parent, sent.metadata])
    assert.deepEqual([message.identities.map(String), message.buffers], [['me'], sent.buffers])
  })

  test('the signature is HMAC-SHA256 over the four parts, in hexadecimal', () => {
    const { frames } = new Wire('secret', 'sha256').pack({ type: 'status', content: { execution_state: 'idle' } })
    const [delimiter, signature, ...parts] = bytes(frames)
    const hmac = createHmac('sha256', 'secret')
    for (const part of parts) hmac.update(part)
    assert.equal(String(delimiter), '<IDS|MSG>')
    assert.equal(String(signature), hmac.digest('hex'))
  })

  test('content that is JSON already goes out as it is', () => {
    const { frames } = new Wire('', null).pack({ type: 'stream', content: Buffer.from('{"name":"stdout",  "text":"x"}') })
    assert.equal(String(frames.at(-1)), '{"name":"stdout",  "text":"x"}')
  })

  test('each header has an id of its own and the protocol version', () => {
    const wire = new Wire('', null)
    const [a, b] = [wire.header('x'), wire.header('x')]
    assert.notEqual(a.msg_id, b.msg_id)
    assert.match(a.version, /^5\.\d$/)
    assert.equal(new Date(a.date).toISOString(), a.date)
  })

  const { frames } = new Wire('key', 'sha256').pack({ type: 'x', content: {} })
  const good = bytes(frames)
  const without = (change: (frames: Buffer[]) => Buffer[]) => change([...good])
  const refused: [string, Wire, Buffer[], RegExp][] = [
    ['another key', new Wire('other', 'sha256'), good, /wrong signature/],
    ['a changed part', new Wire('key', 'sha256'), without(all => [...all.slice(0, -1), Buffer.from('{ }')]), /wrong signature/],
    ['a signature of another length', new Wire('key', 'sha256'), without(([d, , ...rest]) => [d, Buffer.from('ab'), ...rest]), /wrong signature/],
    ['no delimiter', new Wire('key', 'sha256'), good.slice(1), /without the delimiter/],
    ['no parts', new Wire('key', 'sha256'), [], /without the delimiter/],
    ['too few parts', new Wire('key', 'sha256'), good.slice(0, 3), /2 parts, where at least 5/],
    ['a part that is not JSON', new Wire('', null), bytes(['<IDS|MSG>', '', '{', '{}', '{}', '{}']), /not JSON/],
    ['a part that is no object', new Wire('', null), bytes(['<IDS|MSG>', '', '{}', '[]', '{}', '{}']), /not a JSON object/],
    ['a header without a type', new Wire('', null), bytes(['<IDS|MSG>', '', '{"msg_id":"a"}', '{}', '{}', '{}']), /lacks msg_type/],
  ]
  for (const [name, wire, message, reason] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => wire.unpack(message), error => error instanceof MessageError && reason.test(error.message)))
  }

  test('a message that comes a second time is refused', () => {
    const wire = new Wire('key', 'sha256')
    wire.unpack(good)
    assert.throws(() => wire.unpack(good), /came before/)
  })

  test('an unknown digest is said at once', () => assert.throws(() => new Wire('key', 'sha0'), /digest|sha0/i))
})
