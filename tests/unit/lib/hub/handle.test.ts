import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import { nameOf, parseHandle } from '../../../../lib/hub/handle.ts'
import { placeOf } from '../../../../lib/hub/places.ts'

const hub = 'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5'

test('handles are addresses or paths', () => {
  assert.deepEqual(parseHandle(hub, {}), { kind: 'hub', handle: hub, url: new URL(hub) })
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
    return parsed.kind === 'hub' && parsed.url.href
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
  ['google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2', 'mobilenet_v2_100_224'],
  ['https://www.kaggle.com/models/google/mobilenet-v2/frameworks/TensorFlow2/variations/tf2-preview-feature-vector/versions/4',
    'mobilenet_v2'],
  ['https://www.kaggle.com/api/v1/models/tensorflow/resnet-50/tensorFlow2/feature-vector/1/download', 'resnet_50'],
  ['https://example.org/models/trunk/model.json?sig=1', 'trunk'],
  ['./models/trunk/', 'trunk'],
  ['../a model (1).tar.gz', 'a_model_1_'],
] as const) {
  test(`the name of ${handle} is ${name}`, () => assert.equal(nameOf(handle), name))
}

/** TF Hub's redirects, as they are on record. */
for (const [handle, place] of [
  ['google/tf2-preview/mobilenet_v2/feature_vector/4', 'google/mobilenet-v2/tensorFlow2/tf2-preview-feature-vector/4'],
  ['google/tf2-preview/inception_v3/feature_vector/4', 'google/inception-v3/tensorFlow2/tf2-preview-feature-vector/4'],
  ['google/imagenet/resnet_v2_50/feature_vector/4', 'google/resnet-v2/tensorFlow2/50-feature-vector/1'],
  ['google/imagenet/resnet_v2_50/feature_vector/5', 'google/resnet-v2/tensorFlow2/50-feature-vector/2'],
  ['google/imagenet/mobilenet_v2_100_224/classification/5', 'google/mobilenet-v2/tensorFlow2/100-224-classification/2'],
  ['google/imagenet/mobilenet_v2_130_224/classification/4', 'google/mobilenet-v2/tensorFlow2/130-224-classification/1'],
  ['google/imagenet/inception_v3/feature_vector/5', 'google/inception-v3/tensorFlow2/feature-vector/2'],
  ['google/imagenet/inception_resnet_v2/feature_vector/5', 'google/inception-resnet-v2/tensorFlow2/feature-vector/2'],
  ['google/imagenet/mobilenet_v3_small_100_224/feature_vector/5',
    'google/mobilenet-v3/tensorFlow2/small-100-224-feature-vector/1'],
  ['google/imagenet/nasnet_mobile/feature_vector/5', 'google/nasnet/tensorFlow2/mobile-feature-vector/2'],
  ['google/imagenet/pnasnet_large/feature_vector/5', 'google/pnasnet/tensorFlow2/large-feature-vector/2'],
  ['google/imagenet/efficientnet_v2_imagenet21k_b0/feature_vector/1',
    'google/efficientnet-v2/tensorFlow2/imagenet21k-b0-feature-vector/1'],
  ['google/imagenet/efficientnet_v2_imagenet21k_ft1k_m/feature_vector/2',
    'google/efficientnet-v2/tensorFlow2/imagenet21k-ft1k-m-feature-vector/2'],
  ['tensorflow/efficientnet/b0/feature-vector/1', 'tensorflow/efficientnet/tensorFlow2/b0-feature-vector/1'],
  ['tensorflow/resnet_50/feature_vector/1', 'tensorflow/resnet-50/tensorFlow2/feature-vector/1'],
  ['google/bit/m-r50x1/1', 'google/bit/tensorFlow2/m-r50x1/1'],
  ['google/bit/m-r50x1/ilsvrc2012_classification/1', 'google/bit/tensorFlow2/m-r50x1-ilsvrc2012-classification/1'],
  ['google/experts/bit/r50x1/in21k/food/1', 'google/experts-bit/tensorFlow2/r50x1-in21k-food/1'],
  ['google/imagenet/resnet_v2_50/feature_vector/3', null],
  ['someone/model/1', null],
] as const) {
  test(`${handle} lives on Kaggle as ${place}`, () => {
    const found = placeOf(new URL(`https://tfhub.dev/${handle}`))
    assert.equal(found && [found.owner, found.model, found.framework, found.variation, found.version].join('/'), place)
  })
}
