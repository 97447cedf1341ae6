import type { KaggleModel } from './kaggle.ts'
import { parseKagglehub } from './kaggle.ts'

/**
 * Where TF Hub's image models live since tfhub.dev moved to Kaggle (November 2023): a pattern of TF Hub handles, and the Kaggle
 * model in kagglehub's form. tfhub.dev itself redirects there; the table serves where it does not answer. Kaggle counts the
 * versions of TF2 models from 1, TF Hub counted those of TF1 before them.
 *
 * | TF Hub | Kaggle |
 * |---|---|
 * | google/tf2-preview/mobilenet_v2/feature_vector/4 | google/mobilenet-v2/tensorFlow2/tf2-preview-feature-vector/4 |
 * | google/tf2-preview/inception_v3/feature_vector/4 | google/inception-v3/tensorFlow2/tf2-preview-feature-vector/4 |
 * | google/imagenet/resnet_v2_50/feature_vector/4, /5 | google/resnet-v2/tensorFlow2/50-feature-vector/1, /2 |
 * | google/imagenet/mobilenet_v2_100_224/…/4, /5 | google/mobilenet-v2/tensorFlow2/100-224-…/1, /2 |
 * | google/imagenet/mobilenet_v1_…, mobilenet_v3_… | google/mobilenet-v1/…, google/mobilenet-v3/… |
 * | google/imagenet/inception_v1, _v2, _v3, inception_resnet_v2 | google/inception-v1/… and so on |
 * | google/imagenet/nasnet_mobile, nasnet_large, pnasnet_large | google/nasnet/…/mobile-…, google/pnasnet/…/large-… |
 * | google/imagenet/efficientnet_v2_imagenet21k_b0/feature_vector/1 | google/efficientnet-v2/…/imagenet21k-b0-feature-vector/1 |
 * | tensorflow/efficientnet/b0/feature-vector/1 | tensorflow/efficientnet/tensorFlow2/b0-feature-vector/1 |
 * | tensorflow/resnet_50/feature_vector/1 | tensorflow/resnet-50/tensorFlow2/feature-vector/1 |
 * | google/bit/m-r50x1/1 | google/bit/tensorFlow2/m-r50x1/1 |
 * | google/experts/bit/r50x1/in21k/food/1 | google/experts-bit/tensorFlow2/r50x1-in21k-food/1 |
 *
 * Source: where tfhub.dev redirects to, as collected in OpenVINO's `tests/model_hub_tests`.
 */
const places: [RegExp, (match: RegExpMatchArray) => string | null][] = [
  [/^google\/tf2-preview\/(mobilenet_v2|inception_v3)\/(feature_vector|classification)\/([1-4])$/,
    ([, model, output, version]) => `google/${dashed(model)}/tensorFlow2/tf2-preview-${dashed(output)}/${version}`],
  [/^google\/imagenet\/(mobilenet_v[12]|resnet_v[12])_([\d_]+)\/(feature_vector|classification)\/(\d)$/,
    ([, model, size, output, version]) => slim(model, `${dashed(size)}-${dashed(output)}`, version)],
  [/^google\/imagenet\/(inception_v[123]|inception_resnet_v2)\/(feature_vector|classification)\/(\d)$/,
    ([, model, output, version]) => slim(model, dashed(output), version)],
  [/^google\/imagenet\/(p?nasnet)_(mobile|large)\/(feature_vector|classification)\/(\d)$/,
    ([, model, size, output, version]) => slim(model, `${size}-${dashed(output)}`, version)],
  [/^google\/imagenet\/mobilenet_v3_(\w+)\/(feature_vector|classification)\/5$/,
    ([, size, output]) => `google/mobilenet-v3/tensorFlow2/${dashed(size)}-${dashed(output)}/1`],
  [/^google\/imagenet\/efficientnet_v2_(imagenet\w+)\/(feature_vector|classification)\/([12])$/,
    ([, size, output, version]) => `google/efficientnet-v2/tensorFlow2/${dashed(size)}-${dashed(output)}/${version}`],
  [/^tensorflow\/efficientnet\/(b[0-7])\/(feature-vector|classification)\/1$/,
    ([, size, output]) => `tensorflow/efficientnet/tensorFlow2/${size}-${output}/1`],
  [/^tensorflow\/resnet_50\/(feature_vector|classification)\/1$/,
    ([, output]) => `tensorflow/resnet-50/tensorFlow2/${dashed(output)}/1`],
  [/^google\/(bit|experts\/bit)\/([\w/-]+)\/1$/,
    ([, model, variation]) => `google/${dashed(model)}/tensorFlow2/${dashed(variation)}/1`],
]

/** Slim's models: TF Hub's versions 4 and 5 are TF2's 1 and 2 on Kaggle; those below are for TF1. */
const slim = (model: string, variation: string, version: string): string | null =>
  version === '4' || version === '5' ? `google/${dashed(model)}/tensorFlow2/${variation}/${Number(version) - 3}` : null

const dashed = (text: string) => text.replaceAll(/[_/]/g, '-')

/** The place on Kaggle of a model of TF Hub's, where the table knows it. */
export function placeOf({ hostname, pathname }: URL): KaggleModel | null {
  if (!/^(www\.)?tfhub\.dev$/.test(hostname)) return null
  const path = pathname.replace(/^\/+|\/+$/g, '')
  for (const [pattern, place] of places) {
    const match = pattern.exec(path), found = match && place(match)
    if (found) return parseKagglehub(found)
  }
  return null
}
