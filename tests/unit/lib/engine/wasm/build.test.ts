import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const lib = new URL('../../../../../lib/', import.meta.url)

test('the committed .wasm files are what their sources compile to', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'graft-wasm-'))
  try {
    await promisify(execFile)(process.execPath, [new URL('engine/wasm/build.js', lib).pathname, scratch])
    for (const file of ['engine/wasm/kernels.wasm', 'data/pixels.wasm']) {
      assert.ok((await readFile(join(scratch, basename(file)))).equals(await readFile(new URL(file, lib))), file)
    }
  } finally {
    await rm(scratch, { recursive: true })
  }
})
