import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import { nameOf, parseHandle } from '../../../../lib/hub/handle.ts'

const hub = 'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5'

test('handles are addresses or paths', () => {
  assert.deepEqual(parseHandle(hub, {}), { kind: 'url', handle: hub, url: new URL(hub) })
  assert.deepEqual(parseHandle('lib', {}), { kind: 'path', handle: 'lib', path: resolve('lib') })
  assert.deepEqual(parseHandle(pathToFileURL('lib').href, {}), {
    kind: 'path',
    handle: pathToFileURL('lib').href,
    path: resolve('lib'),
  })
})

test('a mirror replaces the origin and keeps path and query', () => {
  const address = (mirror: string, handle = hub) => {
    const parsed = parseHandle(handle, { GRAFT_HUB_MIRROR: mirror })
    return parsed.kind === 'url' && parsed.url.href
  }
  assert.equal(address('http://127.0.0.1:8080'), 'http://127.0.0.1:8080/google/imagenet/mobilenet_v2_100_224/feature_vector/5')
  assert.equal(
    address('http://127.0.0.1:8080/hub/'),
    'http://127.0.0.1:8080/hub/google/imagenet/mobilenet_v2_100_224/feature_vector/5',
  )
  assert.equal(address('http://127.0.0.1:8080', 'http://example.org/m?v=1'), 'http://127.0.0.1:8080/m?v=1')
  assert.throws(() => address('nowhere'), { name: 'GraftError', message: /GRAFT_HUB_MIRROR is 'nowhere'/ })
})

for (const [handle, message] of [
  ['', /expected a handle.*received an empty text/s],
  [undefined, /expected a handle.*received undefined/s],
  ['./no-such-folder', /no such file or folder: '.\/no-such-folder'.*hub\.load\('\.\/folder'\)/],
  ['google/imagenet/mobilenet_v2/1', /Did you mean 'https:\/\/tfhub\.dev\/google\/imagenet\/mobilenet_v2\/1'\?/],
  ['tfhub.dev/google/x/1', /Did you mean 'https:\/\/tfhub\.dev\/google\/x\/1'\?/],
  ['gs://bucket/model', /cannot start with 'gs:'/],
  ['http://', /is not an address/],
  ['file://elsewhere/model', /not a file: address of this machine/],
] as const) {
  test(`a wrong handle is named: ${handle}`, () => {
    assert.throws(() => parseHandle(handle as string, {}), { name: 'GraftError', message })
  })
}

for (const [handle, name] of [
  [hub, 'mobilenet_v2_100_224'],
  ['https://tfhub.dev/google/tf2-preview/inception_v3/feature_vector/4', 'inception_v3'],
  ['https://tfhub.dev/google/imagenet/resnet_v2_50/feature_vector/4?tf-hub-format=compressed', 'resnet_v2_50'],
  ['./models/trunk/', 'trunk'],
  ['../a model (1).tar.gz', 'a_model_1_'],
] as const) {
  test(`the name of ${handle} is ${name}`, () => assert.equal(nameOf(handle), name))
}
