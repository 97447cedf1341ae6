import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { writeAtomically } from '../../../../lib/save/atomic.ts'
import { megabytes } from '../../../../lib/save/disk.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'graft-atomic-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const bytes = [new Uint8Array([1, 2]), new Uint8Array([3])]
const rejects = (work: Promise<unknown>, message: RegExp) => assert.rejects(work, { name: 'GraftError', message })

test('a new file in new folders', async () => {
  const path = join(folder, 'a/b/model.h5')
  const placed = await writeAtomically(path, bytes)
  assert.deepEqual([...(await readFile(path))], [1, 2, 3])
  assert.equal(placed.replaced, false)
  assert.equal(placed.folder, true)
  assert.deepEqual(await readdir(join(folder, 'a/b')), ['model.h5'])
})

test('an old file is replaced and keeps its mode', async () => {
  const path = join(folder, 'model.h5')
  await writeFile(path, 'old', { mode: 0o640 })
  assert.equal((await writeAtomically(path, bytes)).replaced, true)
  assert.equal((await stat(path)).mode & 0o777, 0o640)
  assert.deepEqual([...(await readFile(path))], [1, 2, 3])
})

test('what the disk gives back is compared; where it is wrong the old file stays', async () => {
  const path = join(folder, 'model.h5')
  await writeFile(path, 'old')
  // What changes once it is written is not what comes back.
  const moving = new Uint8Array(40 << 20)
  const size = async () => {
    const part = (await readdir(folder)).find(name => name.endsWith('.part'))
    return part ? (await stat(join(folder, part))).size : 0
  }
  const check = async () => {
    while ((await size()) < moving.length);
    moving[moving.length - 1] = 1
  }
  await rejects(writeAtomically(path, [moving], { check }), /does not give back/)
  assert.equal(await readFile(path, 'utf8'), 'old')
  assert.deepEqual(await readdir(folder), ['model.h5'])
})

test('where the check of the content fails the old file stays', async () => {
  const path = join(folder, 'model.h5')
  await writeFile(path, 'old')
  const check = async () => {
    throw new Error('not the same')
  }
  await rejects(writeAtomically(path, bytes, { check }), /not the same.*Nothing was changed/)
  assert.equal(await readFile(path, 'utf8'), 'old')
  assert.deepEqual(await readdir(folder), ['model.h5'])
})

test('files beside come first, and those of the old one go last', async () => {
  const path = join(folder, 'model.json'), obsolete = (name: string) => /^model-\w+\.bin$/.test(name)
  const shards = (name: string) => new Map([[name, bytes]])
  await writeAtomically(path, bytes, { beside: shards('model-a.bin'), obsolete })
  await writeFile(join(folder, 'other.bin'), '')
  await writeAtomically(path, [new Uint8Array([4])], { beside: shards('model-b.bin'), obsolete })
  assert.deepEqual((await readdir(folder)).sort(), ['model-b.bin', 'model.json', 'other.bin'])
  const check = async () => {
    throw new Error('no')
  }
  await rejects(writeAtomically(path, [new Uint8Array([5])], { beside: shards('model-c.bin'), obsolete, check }), /no/)
  assert.deepEqual((await readdir(folder)).sort(), ['model-b.bin', 'model.json', 'other.bin'])
})

test('saves of one file come one after the other; the lock of a dead process is taken over', async () => {
  const path = join(folder, 'model.h5'), { pid: dead } = spawnSync(process.execPath, ['-e', ''])
  await writeFile(join(folder, '.model.h5.lock'), `${hostname().replace(/[^\w-]/g, '_')} ${dead} 0123456789abcdef`)
  let inside = 0, most = 0
  const check = async () => {
    most = Math.max(most, ++inside)
    await new Promise(done => setTimeout(done, 20))
    inside--
  }
  await Promise.all([1, 2, 3].map(value => writeAtomically(path, [new Uint8Array([value])], { check })))
  assert.equal(most, 1)
  assert.deepEqual(await readdir(folder), ['model.h5'])
})

test('interrupted: the old file stays, no folder and no temporary file is left', async () => {
  const stop = new AbortController()
  const path = join(folder, 'new/model.h5')
  await rejects(
    writeAtomically(path, bytes, { signal: stop.signal, check: async () => stop.abort() }),
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
    await rejects(writeAtomically(path, bytes, { overwrite }), message)
    assert.deepEqual(await readdir(folder, { recursive: true }), before)
  })
}

test('a folder without permission is named', { skip: process.getuid?.() === 0 && 'root writes everywhere' }, async () => {
  await chmod(folder, 0o555)
  await rejects(writeAtomically(join(folder, 'model.h5'), bytes), /no permission to write/)
  await chmod(folder, 0o755)
})

test('a symbolic link stays one: its target is replaced', async () => {
  await writeFile(join(folder, 'real.h5'), 'old')
  await symlink(join(folder, 'real.h5'), join(folder, 'link.h5'))
  await writeAtomically(join(folder, 'link.h5'), bytes)
  assert.deepEqual([...(await readFile(join(folder, 'real.h5')))], [1, 2, 3])
  assert.deepEqual((await readdir(folder)).sort(), ['link.h5', 'real.h5'])
})

test('what killed processes left is swept, what living ones and other machines write is not', async () => {
  const { pid: dead } = spawnSync(process.execPath, ['-e', ''])
  const host = hostname().replace(/[^\w-]/g, '_')
  const name = (host: string, pid: number | undefined) => `.model.h5.${host}.${pid}.0123abcd.part`
  for (const each of [name(host, dead), name(host, process.ppid), name('elsewhere', dead), name(host, process.pid)])
    await writeFile(join(folder, each), '')
  await writeAtomically(join(folder, 'model.h5'), bytes)
  assert.deepEqual((await readdir(folder)).sort(), [name(host, process.ppid), name('elsewhere', dead), 'model.h5'].sort())
})

test('sizes are readable', () => {
  assert.deepEqual([500, 1_234, 45_678, 2_345_678, 123_456_789].map(megabytes), ['0.5 kB', '1.2 kB', '46 kB', '2.3 MB', '123 MB'])
})
