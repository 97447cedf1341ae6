import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { type Host, host, installHost } from '../../lib/host.ts'
import { resolve } from '../../lib/hub/resolve.ts'
import { noTensorFlow, thin } from '../fixtures/models/models.ts'
import { startMirror } from '../mirror/server.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-')), terminal = host()
installHost({ ...terminal, display() {}, update() {} } satisfies Host)
after(() => rm(scratch, { recursive: true }))
const python = process.env.GRAFT_PYTHON ?? join(import.meta.dirname, '..', '..', '.graft', 'python-tests', 'bin', 'python')

/** Resolves a handle with Python's tensorflow_hub and opens it there; gives the folder and whether it can be called. */
async function inPython(cache: string, handle: string): Promise<string> {
  const script = 'import sys, tensorflow_hub as hub; print(hub.resolve(sys.argv[1]), callable(hub.load(sys.argv[1])))'
  const { stdout } = await promisify(execFile)(python, ['-c', script, handle],
    { env: { ...process.env, TFHUB_CACHE_DIR: cache, TF_CPP_MIN_LOG_LEVEL: '3' } })
  return stdout.trim().split('\n').at(-1)!
}

test('tensorflow_hub and Graft find in the cache what the other put there', { skip: noTensorFlow }, async () => {
  const { folder } = await thin('thin_tf_keras'), mirror = await startMirror({ '/m/1': folder, '/m/2': folder })
  const [ours, theirs] = ['1', '2'].map(n => `${mirror.url}/m/${n}`), cache = join(scratch, 'cache')
  const environment = { TFHUB_CACHE_DIR: cache }
  try {
    const first = await resolve(ours, { environment })
    assert.equal(await inPython(cache, ours), `${first} True`)
    const second = (await inPython(cache, theirs)).split(' ')[0]
    assert.equal(await resolve(theirs, { environment }), second)
    assert.deepEqual(mirror.requests.map(({ path }) => path), ['/m/1', '/m/2'])
    const leftover = (await readdir(cache)).filter(name => /\.(lock|tmp)$/.test(name))
    assert.deepEqual(leftover, [])
  } finally {
    await mirror.close()
  }
})
