import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { diagnose } from '../../../../lib/hub/diagnose.ts'
import { type Hosts, startHosts, type Stock } from '../../../mirror/hosts.ts'
import { thin } from '../../../fixtures/models/models.ts'

const scratch = await mkdtemp(join(tmpdir(), 'graft-')), { folder } = await thin('thin_tf_keras')
const name = 'google/mobilenet-v2/tensorFlow2/tf2-preview-feature-vector/4',
  handle = 'https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4'
const secret = 'k3y-that-nobody-may-see', login = { KAGGLE_USERNAME: 'teacher', KAGGLE_KEY: secret }
const stock: Stock = { models: { [name]: folder }, moved: { '/google/tf2-preview/mobilenet_v2/feature_vector/4': name } }
let count = 0

before(() => mkdir(join(scratch, 'empty')))
after(() => rm(scratch, { recursive: true }))

async function seen(text: string, more: Partial<Stock> = {}, environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const hosts = await startHosts({ ...stock, ...more }), lines: string[] = []
  try {
    for await (const { good, title, text: said } of diagnose(text, { environment: { HOME: join(scratch, `home-${count++}`),
      ...environment }, fetch: hosts.fetch })) {
      lines.push(`${good === null ? '·' : good ? '✓' : '✗'} ${title}: ${said}`)
    }
  } finally {
    await hosts.close()
  }
  assert.ok(!lines.join().includes(secret) && !lines.join().includes('X-Goog-Signature'), lines.join('\n'))
  return lines
}

const shape = (lines: string[]) => lines.map(line => line.split(':')[0])

describe('each step is told', () => {
  test('of TF Hub\'s redirects, down to the archive', async () => {
    const lines = await seen(handle)
    assert.deepEqual(shape(lines), ['✓ Handle', '✓ Cache', '· Credentials', '✓ 302', '✓ 302', '✓ 206', '✓ Content'])
    assert.match(lines[0],
      /'mobilenet_v2' on tfhub\.dev, on Kaggle since 2023: https:\/\/www\.kaggle\.com\/models\/google\/mobilenet-v2/)
    assert.match(lines[3], /^✓ 302: https:\/\/tfhub\.dev\/google\/.* → https:\/\/www\.kaggle\.com\/models\//)
    assert.match(lines[5], /storage\.googleapis\.com\/kagglesdsdata\//)
    assert.equal(lines[6], '✓ Content: a gzipped archive')
  })

  test('of credentials, by the place where they are', async () => {
    const lines = await seen(name, { locked: [name], login: `teacher:${secret}` }, login)
    assert.deepEqual(lines.slice(2, 4).map(line => line.replace(/https\S+/g, 'URL')), [
      '· Credentials: Kaggle\'s, of KAGGLE_USERNAME and KAGGLE_KEY',
        '✓ 302: URL shown the credentials of KAGGLE_USERNAME and KAGGLE_KEY → URL'])
  })

  test('of a refusal, with what to try', async () => {
    const lines = await seen(name, { locked: [name] })
    assert.match(lines[3], /^✗ 403: .*You must consent.*shown no credentials.*KAGGLE_USERNAME/)
    assert.match(lines.at(-1)!,
      /^· Way out: download the model in a browser \(https:\/\/www\.kaggle\.com\/models\/.*hub\.load\('\.\/folder'\)/)
  })

  test('of a model that was not moved', async () => {
    const lines = await seen('https://tfhub.dev/someone/model/1')
    assert.match(lines.at(-2)!, /^✗ Content: a web page \(text\/html.*where an archive is expected/)
  })

  test('of a host that is down, and the other way', async () => {
    const lines = await seen(handle, { down: ['tfhub.dev'] })
    assert.deepEqual(shape(lines).slice(3), ['✗ 503', '✓ 302', '✓ 206', '✓ Content'])
  })

  test('of a wrong handle', async () => {
    assert.match((await seen('gs://bucket/model')).join(), /^✗ Handle: a handle cannot start with 'gs:'/)
  })

  test('of the newest version', async () => {
    const lines = await seen(name.replace(/\/4$/, ''))
    assert.ok(lines.includes('✓ Newest version: 4'), lines.join('\n'))
  })

  test('of what is in the cache and of a folder, by opening them', async () => {
    assert.match((await seen(folder)).join('\n'),
      /✓ Folder: a SavedModel model with its weights\n✓ Opens: \d+ layers, [\d.,]+.* weights/)
    assert.match((await seen(join(scratch, 'empty'))).join('\n'),
      /✗ Folder: it has no saved_model\.pb.*it holds nothing\n✗ Opens: not a SavedModel/)
  })

  test('of GRAFT_OFFLINE, a proxy and damaged credentials', async () => {
    const home = join(scratch, 'damaged')
    await mkdir(join(home, '.kaggle'), { recursive: true })
    await writeFile(join(home, '.kaggle', 'kaggle.json'), secret)
    const lines = await seen(name, {}, { HOME: home, HTTPS_PROXY: 'http://proxy:3128', GRAFT_OFFLINE: '1' })
    assert.deepEqual(shape(lines), ['✓ Handle', '✓ Cache', '✗ Credentials', '· Proxy', '✗ Network'])
  })
})

describe('node install.js --doctor HANDLE', () => {
  let hosts: Hosts
  before(async () => { hosts = await startHosts(stock) })
  after(() => hosts.close())

  const doctor = (text: string): Promise<{ code: number, out: string }> => new Promise(resolve => {
    execFile(process.execPath, [join(import.meta.dirname, '..', '..', '..', '..', 'install.js'), '--doctor', text],
      { env: { ...process.env, GRAFT_HUB_MIRROR: hosts.url, GRAFT_CACHE_DIR: join(scratch, 'own'), TFHUB_CACHE_DIR: '' } },
      (error, out) => resolve({ code: Number(error?.code ?? 0), out }))
  })

  test('prints the hops and ends well', async () => {
    const { code, out } = await doctor(handle)
    assert.equal(code, 0, out)
    assert.match(out, /✓ 302: .*\/google\/tf2-preview\/mobilenet_v2\/feature_vector\/4 → .*\n.*✓ 302: .*\n.*✓ 206: .*\n.*✓ Content: a gzipped archive/)
    assert.match(out, /All is well\./)
  })

  test('prints what is wrong and ends with 1', async () => {
    const { code, out } = await doctor('google/mobilenet-v2/tensorFlow2/nothing/1')
    assert.equal(code, 1)
    assert.match(out, /✗ 403: .*Permission.*\n.*· Way out: .*hub\.load\('\.\/folder'\)/)
  })
})
