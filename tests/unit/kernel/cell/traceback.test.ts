import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describe } from '../../../../kernel/cell/traceback.ts'

const fails = { get() { throw new Error('looked at') } }
for (const [name, thrown] of [
  ['a proxy whose traps throw', new Proxy({}, { ...fails, getPrototypeOf: fails.get })],
  ['an error whose stack throws', Object.defineProperty(new Error('mine'), 'stack', fails)],
  ['an error whose message throws', Object.defineProperty(new Error('mine'), 'message', fails)],
] as const) test(`a cell that throws ${name} ends in an error, too`, () => {
  assert.deepEqual(describe(thrown, '.').traceback, ['Thrown: what was thrown throws itself when it is looked at'])
})
