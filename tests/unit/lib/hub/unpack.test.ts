import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { safePath, unpack } from '../../../../lib/hub/unpack.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-'))
after(() => rm(scratch, { recursive: true }))
let count = 0

async function archive(entries: (Partial<Header> & { name: string } & { content?: string })[], gzip = true): Promise<string> {
  const tar = pack()
  for (const { content = '', ...header } of entries) tar.entry(header as Header, content)
  tar.finalize()
  const bytes = await buffer(tar), path = join(scratch, `archive-${count++}`)
  await writeFile(path, gzip ? gzipSync(bytes) : bytes)
  return path
}

async function unpacked(path: string): Promise<{ root: string, files: string[], inside: string }> {
  const inside = join(scratch, `inside-${count++}`)
  await mkdir(inside)
  const root = await unpack(path, join(inside, 'model'), 'the-handle')
  const files = (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter(e => e.isFile())
    .map(e => join(e.parentPath, e.name).slice(root.length + 1))
  return { root, files: files.sort(), inside }
}

const model = [
  { name: './', type: 'directory' as const },
  { name: './saved_model.pb', content: 'graph' },
  { name: './variables/variables.index', content: 'index' },
]

for (const [what, gzip] of [['gzipped', true], ['plain', false]] as const) {
  test(`a ${what} tar`, async () => {
    const { root, files } = await unpacked(await archive(model, gzip))
    assert.deepEqual(files, ['saved_model.pb', 'variables/variables.index'])
    assert.equal(await readFile(join(root, 'saved_model.pb'), 'utf8'), 'graph')
  })
}

test('an archive that holds one folder: its root is that folder', async () => {
  const { root, files } = await unpacked(
    await archive([
      { name: 'my-model/saved_model.pb', content: 'graph' },
      { name: 'my-model/assets/a.txt', content: 'a' },
    ]),
  )
  assert.ok(root.endsWith('my-model'))
  assert.deepEqual(files, ['assets/a.txt', 'saved_model.pb'])
})

describe('hostile archives end in an error that names the handle, and write nothing outside', () => {
  const cases: [string, (Partial<Header> & { name: string } & { content?: string })[], RegExp][] = [
    ['a parent folder', [{ name: '../evil', content: 'x' }], /outside the model's folder/],
    ['a parent folder further in', [{ name: 'a/../../evil', content: 'x' }], /outside the model's folder/],
    ['an absolute path', [{ name: '/tmp/evil', content: 'x' }], /outside the model's folder/],
    ['a symbolic link', [{ name: 'link', type: 'symlink', linkname: '/etc' }], /is a symlink/],
    ['a hard link', [{ name: 'link', type: 'link', linkname: 'saved_model.pb' }], /is a link/],
    ['a device', [{ name: 'null', type: 'character-device' }], /is a character-device/],
    [
      'the same file twice',
      [
        { name: 'saved_model.pb', content: 'a' },
        { name: 'saved_model.pb', content: 'b' },
      ],
      /holds 'saved_model\.pb' twice/,
    ],
    [
      'too many entries',
      Array.from({ length: 5_001 }, (_, i) => ({ name: `d${i}`, type: 'directory' as const })),
      /more than 5000 entries/,
    ],
  ]
  for (const [what, entries, message] of cases) {
    test(what, async () => {
      const path = await archive(entries)
      await assert.rejects(unpacked(path), (error: Error) => {
        assert.equal(error.name, 'GraftError')
        assert.match(error.message, message)
        assert.match(error.message, /the-handle/)
        return true
      })
      assert.ok(!(await readdir(scratch, { recursive: true })).some(name => name.endsWith('evil')))
    })
  }

  test('a bomb', async () => {
    const path = join(scratch, 'bomb')
    const tar = pack()
    tar.entry({ name: 'saved_model.pb', size: 2 ** 26 }, Buffer.alloc(2 ** 26))
    tar.finalize()
    await writeFile(path, gzipSync(await buffer(tar), { level: 9 }))
    await assert.rejects(unpacked(path), { name: 'GraftError', message: /unpacks to more than \d+ MB/ })
  })

  test('a file that is cut off', async () => {
    const path = await archive([{ name: 'saved_model.pb', content: 'graph'.repeat(10_000) }], false), bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, 20_000))
    await assert.rejects(unpacked(path), { name: 'GraftError', message: /damaged or no model/ })
  })

  test('names that only look harmless', () => {
    for (const name of ['a\\..\\b', 'c:/x', 'a/\0', '..', './../x']) assert.throws(() => safePath(name, 'h'), /outside/, name)
    assert.equal(safePath('./a/./b', 'h'), join('a', 'b'))
  })
})
