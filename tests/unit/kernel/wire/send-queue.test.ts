import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { suite, test } from 'node:test'
import { SendQueue } from '../../../../kernel/wire/send-queue.ts'

/** A socket as ZeroMQ's: it refuses a second message while one waits. */
function socketOf() {
  const taken: string[] = [], waiting: (() => void)[] = []
  return {
    taken, release: () => waiting.shift()!(),
    async send([frame]: (string | Uint8Array)[]) {
      assert.equal(waiting.length, 0, 'a second message while one waits')
      await new Promise<void>(done => waiting.push(done))
      if (frame === 'gone') throw new Error('no such client')
      taken.push(String(frame))
    },
  }
}

suite('send queue', () => {
  test('sends one at a time, in order, and goes on after a failure', async () => {
    const socket = socketOf(), queue = new SendQueue(socket)
    let empty = false
    for (const word of ['a', 'gone', 'b']) queue.add([word])
    queue.onEmpty(() => { empty = true })
    for (let i = 0; i < 3; i++) {
      assert.equal(empty, false)
      socket.release()
      await setImmediate()
    }
    assert.deepEqual(socket.taken, ['a', 'b'])
    assert.equal(empty, true)
  })

  test('counts the bytes that wait and says when few are left', async () => {
    const socket = socketOf(), queue = new SendQueue(socket)
    for (const word of ['aaaa', 'bbbb', 'cc']) queue.add([word])
    let below = false
    queue.onBelow(2, () => { below = true })
    assert.equal(queue.bytes, 10)
    for (const expected of [false, true]) {
      socket.release()
      await setImmediate()
      assert.equal(below, expected)
    }
    assert.equal(queue.bytes, 2)
  })

  test('an empty queue calls back at once', () => {
    let called = false
    new SendQueue(socketOf()).onEmpty(() => { called = true })
    assert.ok(called)
  })
})
