import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, mock, test } from 'node:test'
import { resolve } from '../../../../lib/hub/resolve.ts'
import { startMirror } from '../../../mirror/server.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-')), model = join(scratch, 'model')
await mkdir(model)
await writeFile(join(model, 'saved_model.pb'), randomBytes(600_000))
const mirror = await startMirror({ '/m/1': model }), handle = `${mirror.url}/m/1`
after(async () => { await mirror.close(); await rm(scratch, { recursive: true }) })

const expected = {
  name: 'GraftError',
  message: /the disk is full.*Nothing was left behind.*GRAFT_CACHE_DIR.*hub\.load\('\.\/folder'\)/s,
}

test('a disk that fills while the archive is unpacked', async () => {
  const full = mock.method(
    fs,
    'createWriteStream',
    () =>
      new Writable({
        write: (_chunk, _encoding, done) =>
          done(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })),
      }) as fs.WriteStream,
  )
  syncBuiltinESMExports()
  try {
    const cache = join(scratch, 'cache')
    await assert.rejects(resolve(handle, { environment: { TFHUB_CACHE_DIR: cache } }), expected)
    assert.deepEqual(await readdir(cache), [])
  } finally {
    full.mock.restore()
    syncBuiltinESMExports()
  }
})

/** A file system of 400 kB, or why there is none. */
function smallDisk(path: string): string | false {
  fs.mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', path], { stdio: 'pipe' })
    return false
  } catch (error) {
    return `a small file system cannot be mounted here: ${(error as Error).message.split('\n')[0]}`
  }
}
const disk = join(scratch, 'disk'), skip = smallDisk(disk)

test('a disk that is too small for the download', { skip }, async () => {
  try {
    await assert.rejects(resolve(handle, { environment: { TFHUB_CACHE_DIR: join(disk, 'cache') } }), expected)
    assert.deepEqual(await readdir(join(disk, 'cache')), [])
  } finally {
    execFileSync('umount', [disk])
  }
})
