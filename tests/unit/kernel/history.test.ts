import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { History } from '../../../kernel/history.ts'

const folder = mkdtempSync(join(tmpdir(), 'history-'))
after(() => rmSync(folder, { recursive: true }))

suite('history', () => {
  const path = join(folder, 'a', 'history.sqlite')
  const first = new History(path)
  for (const [line, source, output] of [[1, 'const a = 1', null], [2, 'a + 1', '2'], [3, 'a + 1', '2']] as const) first.add(line, source, output)
  const second = new History(path)
  second.add(1, 'a * [5]', '5')

  const table: [object, unknown][] = [
    [{ hist_access_type: 'tail', n: 2 }, [[1, 3, 'a + 1'], [2, 1, 'a * [5]']]],
    [{ hist_access_type: 'tail', n: 1, output: true }, [[2, 1, ['a * [5]', '5']]]],
    [{ hist_access_type: 'range', session: 0, start: 0 }, [[2, 1, 'a * [5]']]],
    [{ hist_access_type: 'range', session: -1, start: 2, stop: 3 }, [[1, 2, 'a + 1']]],
    [{ hist_access_type: 'range', session: 1, start: 1, stop: 2, output: true }, [[1, 1, ['const a = 1', null]]]],
    [{ hist_access_type: 'search', pattern: 'a + *' }, [[1, 2, 'a + 1'], [1, 3, 'a + 1']]],
    [{ hist_access_type: 'search', pattern: 'a + *', unique: true }, [[1, 3, 'a + 1']]],
    [{ hist_access_type: 'search', pattern: '*', n: 1 }, [[2, 1, 'a * [5]']]],
    [{ hist_access_type: 'search', pattern: 'nothing' }, []],
  ]
  for (const [request, expected] of table) test(JSON.stringify(request), () => assert.deepEqual(second.answer(request as Record<string, unknown>), expected))

  test('each shell has a session of its own, which counts its lines from 1 and is the newest to who asks there', () => {
    const history = new History(':memory:')
    history.add(1, 'main 1', null)
    history.add(1, 'sub 1', null, 1)
    history.add(2, 'main 2', null)
    const range = { hist_access_type: 'range', session: 0 }, tail = { hist_access_type: 'tail', n: 2 }
    assert.deepEqual([history.answer(range), history.answer(range, 1)], [[[1, 1, 'main 1'], [1, 2, 'main 2']], [[2, 1, 'sub 1']]])
    assert.deepEqual([history.answer(tail), history.answer(tail, 1)], [[[1, 1, 'main 1'], [1, 2, 'main 2']], [[1, 2, 'main 2'], [2, 1, 'sub 1']]])
  })

  test('a place that cannot be written keeps the history in memory', () => {
    const history = new History(join(path, 'below a file'))
    history.add(1, 'x', null)
    assert.deepEqual(history.answer({ hist_access_type: 'tail', n: 5 }), [[1, 1, 'x']])
  })
})
