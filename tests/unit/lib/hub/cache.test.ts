import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Host, host, installHost } from '../../../../lib/host.ts'
import { resolve } from '../../../../lib/hub/resolve.ts'
import { startMirror } from '../../../mirror/server.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-')), model = join(scratch, 'model'), patience = { attempts: 2, stall: 2000,
  pause: 10 }
const terminal = host(), quiet: Host = { ...terminal, display() {}, update() {} }
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')
const lib = join(import.meta.dirname, '..', '..', '..', '..', 'lib', 'hub', 'resolve.ts')
let count = 0
const home = () => join(scratch, `home-${count++}`)

before(async () => {
  installHost(quiet)
  await chmod(scratch, 0o755)
  await mkdir(join(model, 'variables'), { recursive: true })
  await writeFile(join(model, 'saved_model.pb'), randomBytes(100_000))
  await writeFile(join(model, 'variables', 'variables.index'), 'index')
  await writeFile(join(model, 'variables', 'variables.data-00000-of-00001'), 'data')
})
after(() => rm(scratch, { recursive: true }))

/** Puts the model into a cache as tensorflow_hub leaves it. */
async function filled(cache: string, handle: string): Promise<string> {
  const entry = join(cache, sha1(handle))
  await cp(model, entry, { recursive: true })
  await writeFile(`${entry}.descriptor.txt`, `Module: ${handle}\nDownload Time: 2026-01-01\nDownloader Hostname: teacher (PID:1)`)
  return entry
}

/** Resolves handles in a process of its own, as another user if it can be. */
async function elsewhere(handles: string[], environment: NodeJS.ProcessEnv, options: { uid?: number } = {}): Promise<string[]> {
  const script = `const { resolve } = await import(${JSON.stringify(pathToFileURL(lib).href)})
    for (const handle of ${JSON.stringify(handles)}) console.log(await resolve(handle).catch(error => error.name + ': ' +
      error.message))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module',
    '-e', script],
    { ...options, env: { PATH: process.env.PATH, ...environment } })
  return stdout.trim().split('\n').filter(line => !line.startsWith('Downloading'))
}

describe('a cache that a class shares', () => {
  const skip = process.getuid?.() === 0 ? false : 'only root can start a process of another user'

  test('is read, and what it lacks goes to one\'s own', { skip }, async () => {
    const mirror = await startMirror({ '/m/1': model, '/m/2': model }), shared = home(), own = home()
    try {
      const [first, second] = ['1', '2'].map(n => `${mirror.url}/m/${n}`), entry = await filled(shared, first)
      await chmod(shared, 0o555)
      await mkdir(own)
      await chown(own, 65534, 65534)
      const folders = await elsewhere([first, second, second], { TFHUB_CACHE_DIR: shared, HOME: own }, { uid: 65534 })
      const theirs = join(own, '.cache', 'graft', 'hub', sha1(second))
      assert.deepEqual(folders, [entry, theirs, theirs])
      assert.deepEqual(mirror.requests.map(({ path }) => path), ['/m/2'])
      assert.deepEqual((await readdir(shared)).sort(), [sha1(first), `${sha1(first)}.descriptor.txt`])
    } finally {
      await chmod(shared, 0o755)
      await mirror.close()
    }
  })
})

describe('without a network', () => {
  test('what is not there is named, with what is', async () => {
    const mirror = await startMirror({}), cache = home(), known = 'https://tfhub.dev/google/known/1'
    await mirror.close()
    await filled(cache, known)
    const environment = { TFHUB_CACHE_DIR: cache, HOME: home() }
    assert.equal(await resolve(known, { environment, patience }), join(cache, sha1(known)))
    await assert.rejects(resolve(`${mirror.url}/m/1`, { environment, patience }), { name: 'GraftError', message:
      /cannot reach .*refuses the connection.*Without a network these open: hub\.load\('https:\/\/tfhub\.dev\/google\/known\/1'\); a copy/ })
  })

  test('GRAFT_OFFLINE asks nobody', async () => {
    const mirror = await startMirror({ '/m/1': model }), cache = home()
    try {
      const environment = { TFHUB_CACHE_DIR: cache, HOME: home(), GRAFT_OFFLINE: '1' }
      await assert.rejects(resolve(`${mirror.url}/m/1`, { environment, patience }), { name: 'GraftError', message:
        new RegExp(`is not in the cache \\(${cache}, .*no server is asked: GRAFT_OFFLINE is set.*hub\\.load\\('\\./folder'\\)`) })
      assert.equal(mirror.requests.length, 0)
      await filled(cache, `${mirror.url}/m/1`)
      assert.equal(await resolve(`${mirror.url}/m/1`, { environment }), join(cache, sha1(`${mirror.url}/m/1`)))
    } finally {
      await mirror.close()
    }
  })
})

describe('an entry that is not whole is fetched anew', () => {
  for (const [what, spoil] of [
    ['an empty folder', async (entry: string) => { await rm(entry, { recursive: true }); await mkdir(entry) }],
    ['variables that a cleaner took', async (entry: string) => { await rm(join(entry, 'variables',
      'variables.data-00000-of-00001')) }],
    ['no index', async (entry: string) => { await rm(join(entry, 'variables', 'variables.index')) }],
    ['emptied variables', async (entry: string) => { await rm(join(entry, 'variables'),
      { recursive: true }); await mkdir(join(entry, 'variables')) }],
    ['no graph', async (entry: string) => { await rm(join(entry, 'saved_model.pb')) }],
    ['a TensorFlow.js model without a shard', async (entry: string) => {
      await rm(entry, { recursive: true })
      await mkdir(entry)
      await writeFile(join(entry, 'model.json'), '{"weightsManifest": [{"paths": ["gone.bin"]}]}')
    }],
  ] as const) {
    test(what, async () => {
      const mirror = await startMirror({ '/m/1': model }), cache = home(), handle = `${mirror.url}/m/1`
      try {
        const entry = await filled(cache, handle)
        await spoil(entry)
        assert.equal(await resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience }), entry)
        assert.equal(await readFile(join(entry, 'variables', 'variables.data-00000-of-00001'), 'utf8'), 'data')
        assert.equal(mirror.requests.length, 1)
      } finally {
        await mirror.close()
      }
    })
  }
})

test('processes that load at once download once', async () => {
  const mirror = await startMirror({ '/m/1': model }, { '/m/1': 'slow' }), cache = home(), handle = `${mirror.url}/m/1`
  try {
    const folders = await Promise.all([1, 2, 3].map(() => elsewhere([handle], { TFHUB_CACHE_DIR: cache, HOME: home() })))
    assert.deepEqual(folders.flat(), Array(3).fill(join(cache, sha1(handle))))
    assert.equal(mirror.requests.length, 1)
    assert.deepEqual((await readdir(cache)).sort(), [sha1(handle), `${sha1(handle)}.descriptor.txt`])
  } finally {
    await mirror.close()
  }
})

test('a process that was killed while it downloaded does not stop the next', async () => {
  const mirror = await startMirror({ '/m/1': model }, { '/m/1': 'slow' }), cache = home(), handle = `${mirror.url}/m/1`
  try {
    const script = `const { resolve } = await import(${JSON.stringify(pathToFileURL(lib).href)}); await resolve(${JSON.stringify(handle)})`
    const child = execFile(process.execPath, ['--input-type=module', '-e', script], { env: { TFHUB_CACHE_DIR: cache } }, () => {})
    while (!(await readdir(cache).catch(() => [] as string[])).some(name =>
      name.endsWith('.lock'))) await new Promise(done => { setTimeout(done, 20) })
    child.kill('SIGKILL')
    await new Promise(done => { child.on('close', done) })
    assert.ok((await readdir(cache)).some(name => name.endsWith('.lock')), 'its lock is left')
    await resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience })
    assert.deepEqual((await readdir(cache)).sort(), [sha1(handle), `${sha1(handle)}.descriptor.txt`])
  } finally {
    await mirror.close()
  }
})

test('a lock that names nobody is taken over', async () => {
  const mirror = await startMirror({ '/m/1': model }), cache = home(), handle = `${mirror.url}/m/1`
  try {
    await mkdir(cache)
    await writeFile(join(cache, `${sha1(handle)}.lock`), '')
    await resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience })
    assert.deepEqual((await readdir(cache)).sort(), [sha1(handle), `${sha1(handle)}.descriptor.txt`])
  } finally {
    await mirror.close()
  }
})

test('another machine\'s lock that grows is waited for', async () => {
  const cache = home(), handle = 'https://tfhub.dev/google/slow/1', entry = join(cache, sha1(handle))
  await mkdir(cache)
  await writeFile(`${entry}.lock`, `not-${hostname()}.1.abc`)
  const waiting = resolve(handle, { environment: { TFHUB_CACHE_DIR: cache }, patience, fetch: () => assert.fail('a request') })
  await new Promise(done => { setTimeout(done, 300) })
  await filled(cache, handle)
  await rm(`${entry}.lock`)
  await utimes(entry, new Date(), new Date())
  assert.equal(await waiting, entry)
})

describe('a folder that is not the model\'s', () => {
  test('names the one that is', async () => {
    const around = home()
    await cp(model, join(around, 'inner', 'trunk'), { recursive: true })
    await assert.rejects(resolve(around), { name: 'GraftError',
      message: /no saved_model\.pb and no model\.json\. Did you mean hub\.load\('.*inner\/trunk'\)\?/ })
    await assert.rejects(resolve(join(around, 'inner', 'trunk', 'variables')),
      { message: /Did you mean hub\.load\('.*inner\/trunk'\)\?/ })
  })

  test('its model.json opens the folder', async () => {
    const folder = home()
    await mkdir(folder)
    await writeFile(join(folder, 'model.json'), '{}')
    assert.equal(await resolve(join(folder, 'model.json')), folder)
  })

  test('a file of Keras is opened otherwise', async () => {
    const file = `${home()}.h5`
    await writeFile(file, '')
    await assert.rejects(resolve(file), { name: 'GraftError', message: /is a \.h5 file of Keras.*Open it with load\('/ })
  })
})
