import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { lineOf } from '../../../../kernel/cell/line.ts'

const cases: unknown[][] = [
  [], [''], ['a'], ['50 %'], ['%s', 'a'], ['%d %%', 1, 2], ['a', 'b'], ['a', '%s', 1], [1, '%s', 2], [0], [-0], ['x', -0], [1e21], [1234567.125], [NaN], [-Infinity],
  [true, false, null, undefined], ['a', null], [10n], ['a', 10n], [Symbol('s')], [{ a: 1 }], ['a', { a: [1, 'b'] }], [[1, 2]], [() => 1], [new Date(0)], ['\n', '\u{1f600}'],
]

for (const values of cases) test(`as util.format: ${inspect(values)}`, () => assert.equal(lineOf(values), format(...values)))

test('as util.format, when numbers are shown in groups', () => {
  const { numericSeparator } = inspect.defaultOptions
  inspect.defaultOptions.numericSeparator = true
  try {
    for (const values of [[1234567], ['a', 1234567.891]]) assert.equal(lineOf(values), format(...values))
  } finally {
    inspect.defaultOptions.numericSeparator = numericSeparator
  }
})
