import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBundle } from '../../../../kernel/display/bundle.ts'
import { shortenTimers } from '../../../../kernel/display/timers.ts'

shortenTimers()

test('a timer shows the number that clears it', () => {
  for (const [timer, name] of [[setTimeout(() => {}, 1e6), 'Timeout'], [setInterval(() => {}, 1e6), 'Interval']] as const) {
    const { 'text/plain': text } = toBundle(timer) as Record<string, string>
    assert.match(text, new RegExp(`^${name} \\d+$`))
    clearTimeout(Number(text.split(' ')[1]))
    assert.equal((timer as unknown as { _destroyed: boolean })._destroyed, true)
    assert.deepEqual(toBundle([timer]), { 'text/plain': `[ ${name} (over) ]` })
  }
  const immediate = setImmediate(() => {})
  assert.deepEqual(toBundle(immediate), { 'text/plain': 'Immediate' })
  clearImmediate(immediate)
})
