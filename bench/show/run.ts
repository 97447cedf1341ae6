// What it takes to show a large model (900 layers), many predictions (10,000) and a long run (1,000 epochs): the time of the
// first display and the median of later ones, and what the notebook's file grows by. The marks: below a second, and a table below
// 300 kB.
//   node bench/show/run.ts [later=5]
import { diff } from '../../lib/show/diff.ts'
import { tensors } from '../../lib/data/tensors.ts'
import { host, installHost, type MimeBundle } from '../../lib/host.ts'
import { bundleOf, show } from '../../lib/show/index.ts'
import { layerTable } from '../../lib/show/layers.ts'
import { statisticColumns, statistics, statisticsTable } from '../../lib/show/why/statistics.ts'
import { tf } from '../../lib/tf.ts'
import { finishedRun, longTrained, predictions, trunk } from '../../tests/unit/lib/show/samples.ts'

const later = Number(process.argv[2] ?? 5), marks = { milliseconds: 1000, table: 300e3 }

const shown: MimeBundle[] = []
installHost({ ...host(), display: bundle => void shown.push(bundle) })

const model = trunk(179), before = trunk(178), after = longTrained(), many = predictions(10_000)
const labels = Array.from({ length: 256 }, (_, i) => i % 8)
const images = await tensors(tf.randomUniform([256, 32, 32, 3]), labels, { classes: [...'abcdefgh'] })
const found = await statistics(model, images.train)
const chain = tf.sequential({
  name: 'chain',
  layers: Array.from({ length: 900 }, (_, i) => tf.layers.dense({ units: 1, name: `layer_${i}`, ...(!i && { inputShape: [1] }) })),
})
const epochs = 1000, curve = (from: number) => Array.from({ length: epochs }, (_, i) => from / (1 + i / 50))
const run = {
  ...finishedRun(), epochs, rates: curve(1e-3),
  history: { loss: curve(2), accuracy: curve(1), valLoss: curve(2.2), valAccuracy: curve(0.9) },
}

/** By what is shown: what shows it. */
const displays: Record<string, () => unknown> = {
  'layers': () => show.layers(model),
  'layers, without blocks': () => show.layers(chain),
  'layers, found by a search': () => show.layers(model, { search: 'conv' }),
  'layers, trained': () => show.layers(after),
  'layers, with statistics': () => shown.push(layerTable(after, {}, statisticColumns(found, 16))),
  'statistics of layers': () => shown.push(statisticsTable(model, found, 16)),
  'drawing': () => show.graph(model),
  'drawing, before and after': () => show.graph(model, { before }),
  'diff': async () => shown.push(await bundleOf(diff(before, model))),
  'predictions': () => show.predictions(model, many),
  'worst predictions': () => show.worst(model, many),
  'confusion': () => show.confusion(model, many),
  'calibration': () => show.calibration(model, many),
  'training': () => show.training(run),
}

/** Shows once: the milliseconds, the bytes of its HTML, and of all its forms. */
async function measure(display: () => unknown): Promise<{ milliseconds: number, table: number, all: number }> {
  shown.length = 0
  const start = performance.now()
  await display()
  const milliseconds = performance.now() - start, sizes = shown.map(bundle => Object.entries(bundle).map(([mime, data]) =>
    [mime, Buffer.byteLength(typeof data === 'string' ? data : JSON.stringify(data))] as const)).flat()
  if (!sizes.length) throw new Error(`nothing was shown by ${display}`)
  const sum = (some: typeof sizes) => some.reduce((all, [, bytes]) => all + bytes, 0)
  return { milliseconds, table: sum(sizes.filter(([mime]) => mime === 'text/html')), all: sum(sizes) }
}

const kilobytes = (bytes: number) => bytes ? Math.round(bytes / 1e3) : ''
const rows: Record<string, object> = {}
let within = true
for (const [name, display] of Object.entries(displays)) {
  const first = await measure(display), times: number[] = []
  for (let i = 0; i < later; i++) times.push((await measure(display)).milliseconds)
  const median = times.sort((a, b) => a - b)[later >> 1]
  const holds = first.milliseconds < marks.milliseconds && first.table < marks.table
  rows[name] = {
    'first, ms': Math.round(first.milliseconds), 'later, ms': Math.round(median),
    'table, kB': kilobytes(first.table), 'all, kB': kilobytes(first.all), holds,
  }
  within &&= holds
}
console.log(`${model.layers.length} layers, ${many.length} predictions, ${epochs} epochs`)
console.table(rows)
process.exitCode = within ? 0 : 1
