/** The image sizes of families whose handles do not say them: what a handle holds, its `_` and `/` as `-`, and the pixels. */
const sizes: [RegExp, number][] = [
  [/p?nasnet-large|pnasnet.*large|nasnet.*large/, 331],
  [/inception-(v3|resnet-v2)/, 299],
  [/efficientnet-v2.*-b1(-|$)/, 240],
  [/efficientnet-v2.*-b2(-|$)/, 260],
  [/efficientnet-v2.*-b3(-|$)/, 300],
  [/efficientnet-v2.*-s(-|$)/, 384],
  [/efficientnet-v2.*-(m|l)(-|$)/, 480],
  [/efficientnet-v2.*-xl(-|$)/, 512],
  ...[240, 260, 300, 380, 456, 528, 600].map((size, i): [RegExp, number] =>
    [new RegExp(`efficientnet(-tensorflow[12])?-b${i + 1}(-|$)`), size]),
]

/**
 * The height and width of the images that a model was trained on, where it takes any: what its handle says
 * (`mobilenet_v2_100_192`, Kaggle's `100-192-feature-vector`), else its family's (TF Hub's documentation), else 224.
 */
export function sizeOfHandle(handle: string): number {
  const text = handle.toLowerCase().replaceAll(/[_/]/g, '-')
  const known = sizes.find(([pattern]) => pattern.test(text))?.[1]
  const said = [...text.matchAll(/-(\d{2,3})(?=-|$)/g)].map(match => Number(match[1])).filter(size => size >= 96
    && size % 32 === 0)
  return known ?? said.at(-1) ?? 224
}
