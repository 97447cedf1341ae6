import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { megabytes, writeAtomically } from '../../../../lib/save/atomic.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-atomic-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const fine = async () => {}
const bytes = new Uint8Array([1, 2, 3])
const rejects = (work: Promise<unknown>, message: RegExp) => assert.rejects(work, { name: 'GraftError', message })

test('a new file in new folders', async () => {
  const path = join(folder, 'a/b/model.h5')
  const placed = await writeAtomically(path, bytes, fine)
  assert.deepEqual([...(await readFile(path))], [1, 2, 3])
  assert.equal(placed.replaced, false)
  assert.equal(placed.folder, true)
  assert.deepEqual(await readdir(join(folder, 'a/b')), ['model.h5'])
})

test('an old file is replaced and keeps its mode', async () => {
  const path = join(folder, 'model.h5')
  await writeFile(path, 'old', { mode: 0o640 })
  assert.equal((await writeAtomically(path, bytes, fine)).replaced, true)
  assert.equal((await stat(path)).mode & 0o777, 0o640)
  assert.deepEqual([...(await readFile(path))], [1, 2, 3])
})

test('what the disk gives back is verified; where it is wrong the old file stays', async () => {
  const path = join(folder, 'model.h5')
  await writeFile(path, 'old')
  let seen: Uint8Array | undefined
  await rejects(
    writeAtomically(path, bytes, async written => {
      seen = written
      throw new Error('not the same')
    }),
    /not the same.*Nothing was changed/,
  )
  assert.deepEqual([...seen!], [1, 2, 3])
  assert.equal(await readFile(path, 'utf8'), 'old')
  assert.deepEqual(await readdir(folder), ['model.h5'])
})

test('interrupted: the old file stays, no folder and no temporary file is left', async () => {
  const stop = new AbortController()
  const path = join(folder, 'new/model.h5')
  await rejects(
    writeAtomically(path, bytes, async () => stop.abort(), { signal: stop.signal }),
    /interrupted/,
  )
  assert.deepEqual(await readdir(folder), [])
})

const refusals: Record<
  string,
  { make?: (path: string) => Promise<unknown>; name: string; message: RegExp; overwrite?: boolean }
> = {
  'a folder in the way': { make: path => mkdir(path), name: 'model.h5', message: /it is a folder/ },
  'a file that must stay': {
    make: path => writeFile(path, 'old'),
    name: 'model.h5',
    overwrite: false,
    message: /it exists, and overwrite is false/,
  },
  'a read-only file': { make: path => writeFile(path, 'old', { mode: 0o444 }), name: 'model.h5', message: /read-only/ },
  'a file where a folder should be': {
    make: path => writeFile(join(path, '..'), 'file'),
    name: 'file/model.h5',
    message: /is a file, not a folder/,
  },
  'a name too long': { name: `${'x'.repeat(300)}.h5`, message: /too long/ },
}
for (const [what, { make, name, message, overwrite }] of Object.entries(refusals)) {
  test(`${what} is refused, and nothing is changed`, async () => {
    const path = join(folder, name)
    await make?.(path)
    const before = await readdir(folder, { recursive: true })
    await rejects(writeAtomically(path, bytes, fine, { overwrite }), message)
    assert.deepEqual(await readdir(folder, { recursive: true }), before)
  })
}

test('a folder without permission is named', { skip: process.getuid?.() === 0 && 'root writes everywhere' }, async () => {
  await chmod(folder, 0o555)
  await rejects(writeAtomically(join(folder, 'model.h5'), bytes, fine), /no permission to write/)
  await chmod(folder, 0o755)
})

test('a symbolic link stays one: its target is replaced', async () => {
  await writeFile(join(folder, 'real.h5'), 'old')
  await symlink(join(folder, 'real.h5'), join(folder, 'link.h5'))
  await writeAtomically(join(folder, 'link.h5'), bytes, fine)
  assert.deepEqual([...(await readFile(join(folder, 'real.h5')))], [1, 2, 3])
  assert.deepEqual((await readdir(folder)).sort(), ['link.h5', 'real.h5'])
})

test('what killed processes left is swept, what living ones and other machines write is not', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['-e', ''])
  const host = hostname().replace(/[^\w-]/g, '_')
  const name = (host: string, pid: number | undefined) => `.model.h5.${host}.${pid}.0123abcd.part`
  for (const each of [name(host, dead), name(host, process.ppid), name('elsewhere', dead), name(host, process.pid)])
    await writeFile(join(folder, each), '')
  await writeAtomically(join(folder, 'model.h5'), bytes, fine)
  assert.deepEqual((await readdir(folder)).sort(), [name(host, process.ppid), name('elsewhere', dead), 'model.h5'].sort())
})

test('sizes are readable', () => {
  assert.deepEqual([500, 1_234, 45_678, 2_345_678, 123_456_789].map(megabytes), ['0.5 kB', '1.2 kB', '46 kB', '2.3 MB', '123 MB'])
})
