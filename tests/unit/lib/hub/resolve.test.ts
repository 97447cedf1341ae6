import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { resolve } from '../../../../lib/hub/resolve.ts'
import { type Host, host, installHost } from '../../../../lib/host.ts'
import { type Fault, type Mirror, startMirror } from '../../../mirror/server.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-'))
const model = join(scratch, 'model'), patience = { attempts: 3, stall: 400, pause: 10 }
const terminal = host()
const quiet = (signal = terminal.signal): Host => ({ ...terminal, signal, display() {}, update() {} })
let caches = 0
const freshCache = () => join(scratch, `cache-${caches++}`)
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')

before(async () => {
  installHost(quiet())
  await mkdir(join(model, 'variables'), { recursive: true })
  await writeFile(join(model, 'saved_model.pb'), randomBytes(200_000))
  await writeFile(join(model, 'variables', 'variables.index'), 'index')
  await writeFile(join(model, 'variables', 'variables.data-00000-of-00001'), 'data')
})
after(() => rm(scratch, { recursive: true }))

async function withMirror<T>(
  fault: Fault | null,
  run: (mirror: Mirror, handle: string) => Promise<T>,
  content: string | Uint8Array = model,
): Promise<T> {
  const mirror = await startMirror({ '/m/1': content }, fault ? { '/m/1': fault } : {})
  try {
    return await run(mirror, `${mirror.url}/m/1`)
  } finally {
    await mirror.close()
  }
}

describe('downloads', () => {
  test('land in tensorflow_hub\'s layout, once', () => withMirror(null, async (mirror, handle) => {
    const cache = freshCache(), environment = { TFHUB_CACHE_DIR: cache }
    const folder = await resolve(handle, { environment, patience })
    assert.equal(folder, join(cache, sha1(handle)))
    assert.equal((await readFile(join(folder, 'saved_model.pb'))).length, 200_000)
    assert.equal(await readFile(join(folder, 'variables', 'variables.index'), 'utf8'), 'index')
    assert.deepEqual((await readdir(cache)).sort(), [sha1(handle), `${sha1(handle)}.descriptor.txt`].sort())
    assert.match(
      await readFile(join(cache, `${sha1(handle)}.descriptor.txt`), 'utf8'),
      new RegExp(`^Module: ${handle}\nDownload Time: `),
    )
    assert.equal(await resolve(handle, { environment, patience }), folder)
    assert.equal(mirror.requests.length, 1)
  }))

  test('are found again without the server', () => withMirror(null, async (mirror, handle) => {
    const environment = { GRAFT_CACHE_DIR: freshCache() }
    const folder = await resolve(handle, { environment, patience })
    await mirror.close()
    assert.equal(await resolve(handle, { environment, patience }), folder)
  }))

  test('go on where the connection broke off', () => withMirror('cut once', async (mirror, handle) => {
    const folder = await resolve(handle, { environment: { GRAFT_CACHE_DIR: freshCache() }, patience })
    assert.equal((await readFile(join(folder, 'saved_model.pb'))).length, 200_000)
    assert.deepEqual(mirror.requests.map(request => /^bytes=\d+-$/.test(request.range ?? '')), [false, true])
  }))

  test('follow redirects', () => withMirror('redirect', async (mirror, handle) => {
    await resolve(handle, { environment: { GRAFT_CACHE_DIR: freshCache() }, patience })
    assert.deepEqual(
      mirror.requests.map(({ path, format }) => [path, format]),
      [
        ['/m/1', 'compressed'],
        ['/moved/m/1', 'compressed'],
      ],
    )
  }))

  test('of two callers at once happen once', () => withMirror('slow', async (mirror, handle) => {
    const environment = { GRAFT_CACHE_DIR: freshCache() }
    const folders = await Promise.all([1, 2, 3].map(() => resolve(handle, { environment, patience })))
    assert.equal(new Set(folders).size, 1)
    assert.equal(mirror.requests.length, 1)
  }))

  test('repair an entry that an interrupted program left empty', () => withMirror(null, async (mirror, handle) => {
    const cache = freshCache()
    await mkdir(join(cache, sha1(handle)), { recursive: true })
    const folder = await resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience })
    assert.ok((await readdir(folder)).includes('saved_model.pb'))
    assert.equal(mirror.requests.length, 1)
  }))

  test('take over the lock of a process that has died', () => withMirror(null, async (_, handle) => {
    const cache = freshCache(), entry = join(cache, sha1(handle))
    await mkdir(`${entry}.abc.tmp`, { recursive: true })
    await writeFile(`${entry}.lock`, `${hostname()}.${2 ** 22 + 1}.abc`)
    await resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience })
    assert.deepEqual((await readdir(cache)).sort(), [sha1(handle), `${sha1(handle)}.descriptor.txt`].sort())
  }))

  test('stop when the user interrupts, and leave nothing', () => withMirror('slow', async (_, handle) => {
    const cache = freshCache(), stop = new AbortController()
    installHost(quiet(stop.signal))
    try {
      const loading = resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience })
      setTimeout(() => stop.abort(new Error('interrupted')), 60)
      await assert.rejects(loading, /interrupted/)
      assert.deepEqual(await readdir(cache), [])
    } finally {
      installHost(quiet())
    }
  }))
})

describe('each failure ends in one error that names the address, the cause and the way out, and leaves nothing', () => {
  const faults: [Fault, RegExp][] = [
    ['unauthorized', /refuses it \(401\)/],
    ['forbidden', /refuses it \(403\)/],
    ['missing', /no such model \(404\)/],
    ['gone', /no such model \(410\)/],
    ['busy', /answered 503.*3 attempts/],
    ['silent', /sent nothing for 0\.4 s.*3 attempts/],
    ['cut', /broke off/],
    ['corrupt', /damaged or no model/],
    ['wrong md5', /the download is damaged: its MD5/],
    ['not a tar', /damaged or no model/],
    ['empty', /damaged or no model: it is empty/],
    ['page', /web page, not a model/],
    ['bucket', /storage bucket/],
  ]
  for (const [fault, message] of faults) {
    test(fault, () => withMirror(fault, async (mirror, handle) => {
      const cache = freshCache()
      await assert.rejects(resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience }), (error: Error) => {
        assert.equal(error.name, 'GraftError')
        assert.match(error.message, message)
        assert.match(error.message, /hub\.load\('\.\/folder'\)/)
        assert.ok(error.message.includes(new URL(mirror.url).host), error.message)
        return true
      })
      assert.deepEqual(await readdir(cache), [])
    }))
  }

  test('unreachable', async () => {
    const cache = freshCache(), mirror = await startMirror({})
    await mirror.close()
    await assert.rejects(resolve(`${mirror.url}/m/1`, { environment: { TFHUB_CACHE_DIR: cache }, patience }), {
      name: 'GraftError',
      message:
        /cannot reach http:\/\/127\.0\.0\.1:\d+\/m\/1: the host refuses the connection.*MIRROR.*hub\.load\('\.\/folder'\)/,
    })
    assert.deepEqual(await readdir(cache), [])
  })

  test('an archive without a model', async () => {
    const other = join(scratch, 'other')
    await mkdir(other, { recursive: true })
    await writeFile(join(other, 'readme.txt'), 'nothing here')
    await withMirror(null, async (_, handle) => {
      const cache = freshCache()
      await assert.rejects(resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience }), {
        name: 'GraftError',
        message: /no saved_model\.pb with its variables and no model\.json/,
      })
      assert.deepEqual(await readdir(cache), [])
    }, other)
  })

  test('a cache that cannot be made', async () => withMirror(null, async (_, handle) => {
    const file = join(scratch, 'a-file')
    await writeFile(file, '')
    await assert.rejects(resolve(handle, { environment: { TFHUB_CACHE_DIR: join(file, 'cache') }, patience }), {
      name: 'GraftError',
      message: /GRAFT_CACHE_DIR/,
    })
  }))
})
