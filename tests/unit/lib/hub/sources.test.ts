import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Host, host, installHost } from '../../../../lib/host.ts'
import { resolve } from '../../../../lib/hub/resolve.ts'
import { writeZip } from '../../../../lib/save/zip.ts'
import { type Hosts, startHosts, type Stock } from '../../../mirror/hosts.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-')), model = join(scratch, 'model'), tfjs = join(scratch, 'tfjs')
const patience = { attempts: 3, stall: 2000, pause: 10 }
const terminal = host(), quiet: Host = { ...terminal, display() {}, update() {} }
let count = 0

const mobilenet = 'google/mobilenet-v2/tensorFlow2/tf2-preview-feature-vector/4'
const handle = 'https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4'
const moved = {
  '/google/tf2-preview/mobilenet_v2/feature_vector/4': mobilenet,
  '/google/tfjs-model/imagenet/mobilenet_v2_100_224/feature_vector/3/default/1': 'google/mobilenet-v2/tfJs/100-224-feature-vector/3',
}
const models = { [mobilenet]: model, 'google/mobilenet-v2/tensorFlow2/100-224-feature-vector/1': model,
  'google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2': model, 'google/mobilenet-v2/tfJs/100-224-feature-vector/3': tfjs }

before(async () => {
  installHost(quiet)
  await mkdir(join(model, 'variables'), { recursive: true })
  await writeFile(join(model, 'saved_model.pb'), randomBytes(100_000))
  await writeFile(join(model, 'variables', 'variables.index'), 'index')
  await writeFile(join(model, 'variables', 'variables.data-00000-of-00001'), 'data')
  await mkdir(tfjs)
  await writeFile(join(tfjs, 'model.json'), JSON.stringify({ weightsManifest: [{ paths: ['group1-shard1of2.bin',
    'group1-shard2of2.bin'], weights: [] }] }))
  await writeFile(join(tfjs, 'group1-shard1of2.bin'), 'first')
  await writeFile(join(tfjs, 'group1-shard2of2.bin'), 'second')
})
after(() => rm(scratch, { recursive: true }))

async function withHosts(stock: Partial<Stock>, run: (hosts: Hosts, load: (handle: string, environment?: NodeJS.ProcessEnv) =>
  Promise<string>,
  cache: string) => Promise<void>): Promise<void> {
  const hosts = await startHosts({ models, moved, ...stock }), home = join(scratch, `home-${count++}`), cache = join(home,
    'cache')
  await mkdir(home)
  try {
    await run(hosts, (text, environment = {}) => resolve(text, { environment: { HOME: home, TFHUB_CACHE_DIR: cache,
      ...environment }, patience,
      fetch: hosts.fetch }), cache)
  } finally {
    await hosts.close()
  }
}

const hostsAsked = ({ requests }: Hosts) => requests.map(({ host: name, status }) => `${name} ${status}`)

describe('the ways to a model', () => {
  test('TF Hub redirects to Kaggle, Kaggle to storage', () => withHosts({}, async (hosts, load, cache) => {
    const folder = await load(handle)
    assert.equal(folder, join(cache, createHash('sha1').update(handle).digest('hex')))
    assert.equal((await readFile(join(folder, 'saved_model.pb'))).length, 100_000)
    assert.deepEqual(hostsAsked(hosts), ['tfhub.dev 302', 'www.kaggle.com 302', 'storage.googleapis.com 200'])
    assert.equal(hosts.requests[0].query.get('tf-hub-format'), 'compressed')
  }))

  for (const [what, address] of [
    ['an old page', 'https://www.kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/100-224-feature-vector/versions/2?tfhub-redirect=true'],
    ['a new page', 'https://kaggle.com/models/google/mobilenet-v2/TensorFlow2/100-224-feature-vector/2'],
    ['a download', 'https://www.kaggle.com/api/v1/models/google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2/download'],
    ['kagglehub\'s form', 'google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2'],
  ] as const) {
    test(`Kaggle's API, by ${what}`, () => withHosts({}, async (hosts, load) => {
      await load(address)
      assert.deepEqual(hosts.requests.map(({ path }) => path)[0],
        '/api/v1/models/google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2/download')
      assert.deepEqual(hostsAsked(hosts), ['www.kaggle.com 302', 'storage.googleapis.com 200'])
    }))
  }

  test('the newest version of a variation', () => withHosts({}, async (hosts, load) => {
    await load('google/mobilenet-v2/tensorFlow2/100-224-feature-vector')
    assert.deepEqual(hosts.requests.map(({ path }) => path.split('/').slice(-2).join('/')).slice(0, 2),
      ['100-224-feature-vector/get', '2/download'])
  }))

  test('a model that TF Hub does not send is asked of Kaggle, where the table knows it', () => withHosts({ down: ['tfhub.dev'] },
    async (hosts, load) => {
    await load(handle)
    assert.deepEqual(hostsAsked(hosts), [...Array(3).fill('tfhub.dev 503'), 'www.kaggle.com 302', 'storage.googleapis.com 200'])
  }))

  test('TensorFlow.js: an archive of TF Hub\'s, a model.json with its shards, Kaggle\'s files', () => withHosts({}, async (hosts,
    load) => {
    const address = 'https://tfhub.dev/google/tfjs-model/imagenet/mobilenet_v2_100_224/feature_vector/3/default/1'
    for (const text of [address, `${address}/model.json`, 'google/mobilenet-v2/tfJs/100-224-feature-vector/3']) {
      const folder = await load(text)
      assert.deepEqual((await readdir(folder)).sort(), ['group1-shard1of2.bin', 'group1-shard2of2.bin', 'model.json'], text)
      assert.equal(await readFile(join(folder, 'group1-shard2of2.bin'), 'utf8'), 'second')
    }
    const shards = hosts.requests.filter(({ host: name, path }) => name === 'tfhub.dev' && /shard|json/.test(path))
    assert.deepEqual(shards.map(({ query }) => query.get('tfjs-format')), ['file', 'file', 'file'])
  }))

  test('a plain address of a zip archive, with its checksum', async () => {
    const zip = Buffer.concat([writeZip(new Map([['trunk/saved_model.pb', new Uint8Array(Buffer.from('graph'))]]))].flat())
    await withHosts({ files: { 'example.org/trunk.zip': zip } }, async (hosts, load) => {
      const sum = createHash('sha256').update(zip).digest('hex')
      assert.deepEqual(await readdir(await load(`https://example.org/trunk.zip#sha256=${sum}`)), ['saved_model.pb'])
      await assert.rejects(load(`https://example.org/trunk.zip#sha256=${'0'.repeat(64)}`),
        /its SHA256 is not the one that the address states/)
      assert.equal(hosts.requests[0].query.size, 0)
    })
  })

  test('what kagglehub downloaded is taken as it is', () => withHosts({}, async (hosts, load) => {
    const root = join(scratch, `kagglehub-${count++}`), folder = join(root, 'models', ...mobilenet.split('/'))
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'saved_model.pb'), 'graph')
    await load(mobilenet, { KAGGLEHUB_CACHE: root })
    assert.equal(hosts.requests.length > 0, true)
    hosts.requests.length = 0
    await writeFile(`${folder}.complete`, '')
    assert.equal(await load(mobilenet, { KAGGLEHUB_CACHE: root, TFHUB_CACHE_DIR: join(root, 'none') }), folder)
    assert.equal(hosts.requests.length, 0)
  }))
})

describe('what breaks on the way is mended', () => {
  test('a download that broke off goes on with a new signature', () => withHosts({ cutOnce: true, signatures: 'once' },
    async (hosts, load) => {
    const folder = await load(mobilenet)
    assert.deepEqual(await readFile(join(folder, 'saved_model.pb')), await readFile(join(model, 'saved_model.pb')))
    const ranges = hosts.requests.filter(({ host: name }) => name === 'storage.googleapis.com').map(({ range }) =>
      Number(range?.match(/\d+/)?.[0] ?? 0))
    assert.equal(ranges.length, 2)
    assert.ok(ranges[0] === 0 && ranges[1] > 1000, String(ranges))
  }))

  test('an expired signature is renewed', () => withHosts({ signatures: 'first expired' }, async (hosts, load) => {
    await load(mobilenet)
    assert.deepEqual(hostsAsked(hosts), ['www.kaggle.com 302', 'storage.googleapis.com 400', 'www.kaggle.com 302',
      'storage.googleapis.com 200'])
  }))

  for (const wrong of ['md5', 'crc32c'] as const) {
    test(`a wrong ${wrong} is seen`, () => withHosts({ wrong }, async (_, load, cache) => {
      await assert.rejects(load(mobilenet),
        new RegExp(`damaged: its ${wrong.toUpperCase()} is not.*hub\\.load\\('\\./folder'\\)`))
      assert.deepEqual(await readdir(cache), [])
    }))
  }
})

describe('credentials', () => {
  const secret = 'k3y-that-nobody-may-see', good = { KAGGLE_USERNAME: 'teacher', KAGGLE_KEY: secret }
  const locked = { locked: [mobilenet], login: `teacher:${secret}` }

  test('go to Kaggle and to no other host, also not across redirects', () => withHosts(locked, async (hosts, load) => {
    await load(handle, good)
    await load(mobilenet, good)
    assert.deepEqual([...new Set(hosts.requests.filter(({ authorization }) => authorization).map(({ host: name }) => name))],
      ['www.kaggle.com'])
    assert.ok(hosts.requests.some(({ host: name }) => name === 'storage.googleapis.com'))
  }))

  test('never go to a mirror', () => withHosts(locked, async (hosts, load) => {
    await assert.rejects(load(mobilenet, { ...good, GRAFT_HUB_MIRROR: 'https://mirror.example' }), /no such model/)
    await assert.rejects(load('http://www.kaggle.com/models/google/mobilenet-v2/tensorFlow2/a/1', good),
      /there is no such model|web page/)
    assert.deepEqual(hosts.requests.filter(({ authorization }) => authorization), [])
  }))

  test('come from kaggle.json, a token or its file, too', () => withHosts(locked, async (hosts, load, cache) => {
    const folder = join(cache, '..', '.kaggle')
    await mkdir(folder)
    await writeFile(join(folder, 'kaggle.json'), JSON.stringify({ username: 'teacher', key: secret }))
    await load(mobilenet)
    await rm(cache, { recursive: true })
    await assert.rejects(load(mobilenet, { KAGGLE_API_TOKEN: 'another' }),
      /401: Unauthenticated.*credentials of KAGGLE_API_TOKEN/)
    assert.equal(hosts.requests.at(-1)!.authorization, 'Bearer another')
    await writeFile(join(folder, 'access_token'), ' from-file\n')
    await assert.rejects(load(mobilenet), /credentials of ~\/\.kaggle\/access_token/)
    assert.equal(hosts.requests.at(-1)!.authorization, 'Bearer from-file')
    await rm(join(folder, 'access_token'))
    await writeFile(join(folder, 'kaggle.json'), `{"username": "teacher", "key": ${secret}`)
    await assert.rejects(load(mobilenet), (error: Error) => {
      assert.match(error.message, /~\/\.kaggle\/kaggle\.json holds no credentials.*expected \{"username"/)
      return !error.message.includes(secret)
    })
  }))

  for (const [what, environment, message] of [
    ['none', {}, /403: You must consent.*shown no credentials.*kaggle\.json.*KAGGLE_USERNAME and KAGGLE_KEY.*hub\.load\('\.\/folder'\)/],
    ['wrong ones', { KAGGLE_USERNAME: 'teacher', KAGGLE_KEY: `not-${secret}` },
      /401: Unauthenticated.*shown the credentials of KAGGLE_USERNAME and KAGGLE_KEY.*hub\.load\('\.\/folder'\)/],
  ] as const) {
    test(`${what}: the error tells, without them`, () => withHosts(locked, async (_, load) => {
      await assert.rejects(load(mobilenet, environment), (error: Error) => {
        assert.equal(error.name, 'GraftError')
        assert.match(error.message, message)
        return !error.message.includes(secret) && !error.message.includes(Buffer.from(secret).toString('base64').slice(0, 8))
      })
    }))
  }
})

describe('a handle that leads nowhere says so', () => {
  for (const [what, address, message] of [
    ['not moved to Kaggle', 'https://tfhub.dev/someone/some_model/1', /Kaggle's catalogue: this model or version was not moved/],
    ['no such version', 'google/mobilenet-v2/tensorFlow2/100-224-feature-vector/9',
      /403: Permission 'models\.get' was denied.*does not exist/],
    ['no such variation', 'google/mobilenet-v2/tensorFlow2/nothing', /403: Permission/],
    ['another framework', 'google/mobilenet-v3/tfLite/small/1', /holds files of TFLite\. Expected the variation for tensorFlow2/],
    ['a model without a variation', 'https://www.kaggle.com/models/google/mobilenet-v2',
      /names no model to download.*choose a framework/],
    ['a file of Keras', 'https://example.org/model.keras', /is a file of Keras.*load\('\.\/file'\)/],
    ['a password', 'https://me:secret@example.org/model.tar.gz', /address of example\.org holds a password/],
  ] as const) {
    test(what, () => withHosts({}, async (_, load) => {
      await assert.rejects(load(address), (error: Error) => {
        assert.equal(error.name, 'GraftError')
        assert.match(error.message, message)
        return !error.message.includes('secret')
      })
    }))
  }
})
