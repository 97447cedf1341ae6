import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deathOf, type Death } from '../../../kernel/death.ts'

const death: Death = { code: null, signal: null, wasReady: true, exitCode: null, errors: '', asked: false }

const table: [Partial<Death>, RegExp][] = [
  [{ code: 3, exitCode: 3 }, /^process\.exit\(3\) ended .* variables are gone/],
  [{ signal: 'SIGSEGV' }, /^Native code crashed .*SIGSEGV/],
  [{ signal: 'SIGABRT', errors: 'FATAL ERROR: … JavaScript heap out of memory' }, /^JavaScript ran out of memory/],
  [{ signal: 'SIGKILL' }, /^The process .* was killed \(SIGKILL\)/],
  [{ signal: 'SIGKILL', asked: true }, /^The interrupt could not reach the code/],
  [{ code: 7 }, /ended unexpectedly \(exit code 7\)/],
  [{ code: 1, wasReady: false, errors: 'Cannot find module x\n' }, /could not start \(exit code 1\): Cannot find module x$/],
]
for (const [how, expected] of table) {
  test(`${JSON.stringify(how)} is explained`, () => {
    const { ename, evalue, traceback } = deathOf({ ...death, ...how })
    assert.match(evalue, expected)
    assert.deepEqual([ename, traceback], ['ProcessEnded', [`ProcessEnded: ${evalue}`]])
  })
}
