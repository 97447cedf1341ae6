// Writes docs/gallery.md: what one looks at, each display with the line that makes it. node docs/gallery.ts
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { advise, customize, data, diff, hub, predict, show, tap, tf, train } from '../lib/index.ts'
import { host, installHost, type MimeBundle } from '../lib/host.ts'
import { bundleOf } from '../lib/show/index.ts'

const folder = join(import.meta.dirname, 'pictures', 'gallery'),
  notebooks = join(import.meta.dirname, '..', 'notebooks')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

let shown: MimeBundle[] = []
installHost({ ...host(), display: bundle => void shown.push(bundle), update: () => {} })

const base = await hub.load(join(notebooks, 'models', 'mobilenet_v2_letters_feature_vector'))
const digits = await data.images(join(notebooks, 'images', 'digits'), { size: base, validation: 0.2 })
const model = customize.extract(base, { classes: digits.classes })
const run = await train(model, digits, { epochs: 10, seed: 1, log: false })
const resnet = await hub.load(join(notebooks, 'models', 'resnet50_v2_letters_feature_vector'))
const convolution = tf.layers
  .conv2d({ filters: 64, kernelSize: 3, activation: 'relu', name: 'conv2d' })
  .apply(tap(resnet, 'last feature map'))
const pooled = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(convolution)
const modified = tf.model({
  inputs: resnet.inputs,
  outputs: tf.layers.dense({ units: 10, activation: 'softmax', name: 'predictions' }).apply(pooled) as never,
  name: 'modified',
})
const photo = join(notebooks, 'images', 'photo-of-a-seven.png')

/** Each display: the line a cell holds, a sentence, and what makes it here. */
const examples: [code: string, about: string, make: () => unknown][] = [
  ['model', 'A model is the table of its layers. Blocks fold in JupyterLab and on GitHub.', () => model],
  ['show.graph(modified, { before: resnet })', 'A surgery, before and after.', () => show.graph(modified, { before: resnet })],
  ['diff(resnet, modified)', 'The same in words.', () => diff(resnet, modified)],
  ['digits', 'A data set is its contact sheet.', () => digits],
  ['advise(base, digits)', 'Which method, measured on your own images.', () => advise(base, digits)],
  [
    'await train(model, digits)',
    'The plot is there from the first step on, with buttons to stop, pause and slow down.',
    () => run,
  ],
  ["await predict(model, 'photo.png')", 'One prediction.', () => predict(model, photo)],
  ['await show.predictions(model, digits.test)', 'Many of them.', () => show.predictions(model, digits.test, { count: 8 })],
  ['await show.worst(model, digits.test)', 'Those that went most wrong.', () => show.worst(model, digits.test, { count: 8 })],
  ['await show.confusion(model, digits.test)', 'Which class is taken for which.', () => show.confusion(model, digits.test)],
  [
    'await show.calibration(model, digits.test)',
    'How far its confidence can be trusted.',
    () => show.calibration(model, digits.test),
  ],
  [
    'await show.gradCam(model, digits.test)',
    'Where it looks.',
    () => show.gradCam(model, digits.test, { count: 6, layer: 'block_12_add' }),
  ],
  ['await show.occlusion(model, digits.test)', 'What it needs to see.', () => show.occlusion(model, digits.test)],
  [
    "await show.featureMaps(model, 'photo.png', { layer: 'Conv1_relu' })",
    'What a layer makes of a picture.',
    () => show.featureMaps(model, photo, { layer: 'Conv1_relu', channels: 16 }),
  ],
  ['await show.filters(base)', 'What the first layer looks for.', () => show.filters(base)],
  [
    "await show.embedding(base, digits.test, { method: 'umap' })",
    'What the trunk holds for alike, before any training.',
    () => show.embedding(base, digits.test!, { method: 'umap' }),
  ],
  [
    'await show.neighbours(base, digits.test, digits.train)',
    'The nearest pictures it knows.',
    () => show.neighbours(base, digits.test, digits.train, { count: 2 }),
  ],
  ['await show.statistics(model, digits.train)', 'What pictures do in each layer.', () => show.statistics(model, digits.train)],
]

const parts = [
  '# Gallery\n\nEvery display has a text form too, for terminals and screen readers. This page is written by `node docs/gallery.ts`.',
]
for (const [i, [code, about, make]] of examples.entries()) {
  shown = []
  const value = await make(),
    bundle = shown.at(-1) ?? (await bundleOf(value))
  parts.push(`## \`${code}\`\n\n${about}\n\n${await pictureOf(bundle, String(i + 1).padStart(2, '0'))}`)
}
writeFileSync(join(import.meta.dirname, 'gallery.md'), `${parts.join('\n\n')}\n`)

/** A picture at the size it is looked at; a table as its text. */
async function pictureOf(bundle: MimeBundle, name: string): Promise<string> {
  const encoded = bundle['image/jpeg'] ?? bundle['image/png'],
    words = String(bundle['text/plain']).replaceAll(notebooks, 'notebooks')
  if (typeof encoded !== 'string') {
    const lines = words.split('\n')
    return `\`\`\`\n${(lines.length > 40 ? [...lines.slice(0, 24), '…', ...lines.slice(-10)] : lines).join('\n')}\n\`\`\``
  }
  const image = sharp(Buffer.from(encoded, 'base64')),
    { width = 0 } = await image.metadata()
  const file = `${name}.${bundle['image/jpeg'] ? 'jpg' : 'png'}`,
    sized = image.resize(Math.round(Math.min(width / 2, 900)))
  await (bundle['image/jpeg'] ? sized.jpeg({ quality: 82 }) : sized.png({ palette: true })).toFile(join(folder, file))
  return `![${words.split('\n')[0].replace(/[[\]]/g, '')}](pictures/gallery/${file})`
}
process.exit(0)
