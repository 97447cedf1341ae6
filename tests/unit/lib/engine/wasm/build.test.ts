import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const folder = new URL('../../../../../lib/engine/wasm/', import.meta.url)

test('the committed kernels.wasm is what its source compiles to', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'graft-wasm-'))
  try {
    const built = join(scratch, 'kernels.wasm')
    await promisify(execFile)(process.execPath, [new URL('build.js', folder).pathname, built])
    assert.ok((await readFile(built)).equals(await readFile(new URL('kernels.wasm', folder))))
  } finally {
    await rm(scratch, { recursive: true })
  }
})
