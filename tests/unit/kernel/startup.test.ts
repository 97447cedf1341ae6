import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { KernelClient } from '../../../cli/client.ts'
import { startupScript } from '../../../kernel/startup.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-startup-'))
after(() => rmSync(folder, { recursive: true, force: true }))

type Load = (url: string) => Record<string, never>

const kernelUrl = (name: string) => new URL(`../../../kernel/${name}`, import.meta.url).href

function write(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return pathToFileURL(join(folder, Object.keys(files)[0])).href
}

/** A module out of the script, opened as main.js does it. */
function open(entry: string) {
  const script = new vm.Script(startupScript([entry]), { filename: kernelUrl('startup.ts'), importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER })
  return (script.runInThisContext() as (require: NodeJS.Require) => Load)(createRequire(import.meta.url))(entry)
}

test('a module in the script exports what it does as a file', async () => {
  const module = open(write({
    'a.ts': `import { basename as last } from 'node:path'\nimport fs from 'node:fs'\nimport * as b from './b.ts'\nimport { type Kind, twice } from './b.ts'
      export const here = last(import.meta.filename), kind: Kind = 'é', four = twice(2), same = b.twice === twice, exists = typeof fs.existsSync
      export const { length } = 'abc'\nexport function late() { return import('./later.ts') }\nexport class C { name = 'C' }`,
    'b.ts': 'export type Kind = string\nconst twice = (x: number) => 2 * x\nexport { twice }',
    'later.ts': 'export const late = true',
  })) as Record<string, unknown>
  const { here, kind, four, same, exists, length, C } = module
  assert.deepEqual({ here, kind, four, same, exists, length }, { here: 'a.ts', kind: 'é', four: 4, same: true, exists: 'function', length: 3 })
  assert.equal(new (C as new () => { name: string })().name, 'C')
  assert.equal((await (module.late as () => Promise<{ late: boolean }>)()).late, true)
})

for (const [form, files, message] of [
  ['a default export', { 'x.ts': 'export default 1' }, /exports what it does not declare/],
  ['a variable that changes', { 'x.ts': 'export let a = 1' }, /exports a variable that may change/],
  ['a circle', { 'x.ts': "import { b } from './y.ts'\nexport const a = () => b", 'y.ts': "import { a } from './x.ts'\nexport const b = () => a" }, /import each other/],
] as [string, Record<string, string>, RegExp][]) {
  test(`${form} is refused`, () => assert.throws(() => startupScript([write(files)]), message))
}

test('a cell runs in the script as it does in the sources, with the same stack', async () => {
  const entry = kernelUrl('cell/cells.ts')
  const { Cells } = open(entry) as unknown as typeof import('../../../kernel/cell/cells.ts')
  const cells = new Cells({ folder, names: {} })
  assert.equal((await cells.run('enum E { A = 6 }; E.A * 7', 1)).value, 42)
  const error = await cells.run('function f(): never { throw new Error("x") }\nf()', 2).catch((error: Error) => error) as Error
  assert.deepEqual(error.stack!.split('\n').slice(1).map(line => line.trim()), ['at f (Cell 2:1:29)', 'at Cell 2:2:1'])
})

/** Starts a kernel, runs a cell, and waits until what it keeps at rest is there. */
async function start(kept: () => boolean): Promise<void> {
  const client = await KernelClient.start(folder)
  try {
    let shown = ''
    await client.execute('6 * 7', ({ content }) => { shown += JSON.stringify(content) })
    assert.match(shown, /"text\/plain":"42"/)
    for (const end = Date.now() + 30_000; !kept(); await sleep(50)) assert.ok(Date.now() < end, 'the kernel kept nothing')
  } finally {
    await client.close()
  }
}

test('a kernel writes the script when it rests, writes one anew that is out of date, and starts from one that is not', async () => {
  const cache = join(folder, 'cache'), before = process.env.NODE_COMPILE_CACHE
  const find = (name: string) => globSync(`graft-*/${name}`, { cwd: cache }).map(path => join(cache, path))[0]
  process.env.NODE_COMPILE_CACHE = cache
  try {
    await start(() => find('modules.js') !== undefined)
    const old = readFileSync(find('modules.js'), 'utf8').replace(/"files":\[\["([^"]*)",[\d.]+/, '"files":[["$1",1')
    writeFileSync(find('modules.js'), old)
    await start(() => readFileSync(find('modules.js'), 'utf8') !== old)
    await start(() => find('kernel.cache') !== undefined && find('child.cache') !== undefined)
    await start(() => true)
  } finally {
    if (before === undefined) delete process.env.NODE_COMPILE_CACHE
    else process.env.NODE_COMPILE_CACHE = before
  }
})
