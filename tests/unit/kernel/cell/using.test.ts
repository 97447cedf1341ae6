import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transformSync, type HelperMode } from 'oxc-transform'
import { installUsing } from '../../../../kernel/cell/using.ts'

installUsing()

/** Runs a function's body as Node 22 would, with a log of what it opens and closes. */
async function run(body: string): Promise<{ log: string[], thrown: unknown }> {
  const { code } = transformSync('cell.ts', `async function run(open: any, later: any) {${body}}`, { target: 'es2024', helpers: { mode: 'External' as HelperMode } })
  assert.doesNotMatch(code, /\busing \w/)
  const log: string[] = []
  const opener = (symbol: symbol, close: (name: string) => unknown) => (name: string, fails = false) => {
    log.push(`open ${name}`)
    return { [symbol]: () => { log.push(`close ${name}`); if (fails) throw new Error(name); return close(name) } }
  }
  const later = async (name: string) => { await null; log.push(`closed ${name}`) }
  const main = new Function(`${code}; return run`)() as (...values: unknown[]) => Promise<unknown>
  const thrown = await main(opener(Symbol.dispose, () => {}), opener(Symbol.asyncDispose, later)).then(() => null, error => error)
  return { log, thrown }
}

test('using and await using close in reverse order, whatever happens', async () => {
  assert.deepEqual(await run('using a = open("a"), b = null; using c = open("c")'), { log: ['open a', 'open c', 'close c', 'close a'], thrown: null })
  assert.deepEqual((await run('await using a = later("a"); await using b = later("b"); using c = open("c")')).log,
    ['open a', 'open b', 'open c', 'close c', 'close b', 'closed b', 'close a', 'closed a'])
  const { log, thrown } = await run('using a = open("a"); throw new Error("x")')
  assert.deepEqual([log, (thrown as Error).message], [['open a', 'close a'], 'x'])
})

test('errors of closing do not hide those before', async () => {
  const { log, thrown } = await run('using a = open("a", true); await using b = later("b", true); throw new Error("x")')
  assert.deepEqual(log, ['open a', 'open b', 'close b', 'close a'])
  const error = thrown as { error: Error, suppressed: { error: Error, suppressed: Error } }
  assert.deepEqual([error.error.message, error.suppressed.error.message, error.suppressed.suppressed.message], ['a', 'b', 'x'])
  assert.match(String((await run('using a = {}')).thrown), /no \[Symbol\.dispose\]/)
})
