import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { Output } from '../../../kernel/cell/output.ts'
import { warmUp } from '../../../kernel/warm-up.ts'

test('warming up sends nothing, and leaves alone what a cell has put in the console\'s place', () => {
  const output = new Output(() => assert.fail('something was sent'))
  const log = mock.method(console, 'log', (...data: unknown[]) => output.write('stdout', `${data}\n`))
  try {
    warmUp(output)
    assert.equal(log.mock.callCount(), 0)
    output.log = console.log
    warmUp(output)
    assert.ok(log.mock.callCount() > 10_000)
  } finally {
    log.mock.restore()
  }
})
