import type { LayersModel, SymbolicTensor, Tensor, Variable } from '@tensorflow/tfjs'
import { leaves, type Layer } from '../../customize/layers.ts'
import { compare } from '../../customize/difference.ts'
import { evenly } from '../../data/evenly.ts'
import type { ImageSet } from '../../data/set.ts'
import { GraftError } from '../../error.ts'
import type { MimeBundle } from '../../host.ts'
import { tf } from '../../tf.ts'
import { showable } from '../bundle.ts'
import { columns, escape, measure, percent, plural, shorten } from '../format.ts'
import { chip, faint, frame, table, tree, type Branch, type Column } from '../html.ts'
import type { LayerColumn } from '../layer-columns.ts'
import { isBlock, layerTree, rowsOf, type LayerEntry } from '../layer-rows.ts'
import { palette } from '../palette.ts'
import { splitAt } from './split.ts'

export interface StatisticsOptions {
  /** How many images. Default 16. */
  images?: number
  /** The same model earlier, e.g. `await hub.load(handle, { fresh: true })`: how far each weight has moved since. */
  before?: LayersModel
}

/** What a layer does with some images, and what they would teach it. */
export interface LayerStatistics {
  name: string
  type: string
  /** Of its output over all images and places. */
  mean: number
  deviation: number
  /** Share of the output that is exactly zero. */
  zeros: number
  /** Channels whose output is zero for all images: dead, if it is a ReLU. */
  silent: number
  channels: number
  /** Length of the loss's gradient by its trainable weights, over the weights' own length; `null` for a layer that does not train. */
  gradient: number | null
  /** The largest change of a single weight since `before`. */
  change: number | null
}

/**
 * Statistics of each layer of a model (those of nested models as one), over a batch of labelled images: activations in
 * inference, gradients of the cross-entropy in inference too, so that one image does not change another's.
 *
 * @throws GraftError for a set without classes
 */
export async function statistics(model: LayersModel, set: ImageSet, options: StatisticsOptions = {}): Promise<LayerStatistics[]> {
  const count = Math.min(options.images ?? 16, set.length)
  if (!count || set.classes.length < 2)
    throw new GraftError('show.statistics: expected labelled images of two classes or more, e.g. digits.train.')
  const indices = evenly(set.length, count)
  const shape = [count, ...set.size, set.channels],
    pixels = await set.pixels(indices),
    labels = indices.map(i => set.labels[i])
  const shown = model.layers.filter(
    layer => layer.inboundNodes.length && !/InputLayer/.test(layer.getClassName()) && !Array.isArray(layer.output),
  )
  const changed = new Map(
    options.before ? compare(options.before, model).changed.map(({ layer, most }) => [layer.name, most]) : [],
  )
  const x = tf.tensor(pixels, shape)
  let gradients = new Map<string, [gradient: number, weight: number]>()
  tf.tidy(() => {
    gradients = gradientsOf(model, x, labels)
  })
  const found = new Map<Layer, Pick<LayerStatistics, 'mean' | 'deviation' | 'zeros' | 'silent' | 'channels'>>()
  // Some layers at a time: all activations of a large network at once would fill the memory.
  for (let at = 0; at < shown.length; at += 32) {
    const some = shown.slice(at, at + 32),
      part = tf.model({ inputs: model.inputs, outputs: some.map(layer => layer.output as SymbolicTensor) })
    const outputs = [part.predict(x, { batchSize: count }) as Tensor | Tensor[]].flat()
    tf.tidy(() => some.forEach((layer, i) => found.set(layer, activations(outputs[i]))))
    tf.dispose(outputs)
    await new Promise(resolve => setImmediate(resolve))
  }
  x.dispose()
  return shown.map(layer => ({
    name: layer.name,
    type: layer.getClassName(),
    ...found.get(layer)!,
    gradient: gradientOf(layer, gradients),
    change: options.before && layer.weights.length ? (changed.get(layer.name) ?? 0) : null,
  }))
}

function activations(output: Tensor) {
  const { mean, variance } = tf.moments(output.toFloat()),
    channels = output.shape.at(-1)!
  const [live, zeros] = [output.abs().max(output.shape.map((_, i) => i).slice(0, -1)), output.equal(0).toFloat().mean()]
  return {
    mean: mean.dataSync()[0],
    deviation: Math.sqrt(variance.dataSync()[0]),
    zeros: zeros.dataSync()[0],
    channels,
    silent: live.dataSync().filter(value => value === 0).length,
  }
}

/** The lengths of the gradients, and of the weights themselves, by the weight's name. */
function gradientsOf(model: LayersModel, x: Tensor, labels: number[]): Map<string, [gradient: number, weight: number]> {
  const learning = model.trainableWeights.map(weight => weight.read() as Variable)
  if (!learning.length) return new Map()
  const split = splitAt(
    model,
    model.layers.find(layer => !/InputLayer/.test(layer.getClassName()))!,
  )
  const { grads } = tf.variableGrads(() => {
    const given = split.before.apply(x, { training: false }) as Tensor | Tensor[]
    const logits = split.logits(split.after.apply(given, { training: false }) as Tensor),
      units = logits.shape[1]!
    return units === 1
      ? tf.losses.sigmoidCrossEntropy(tf.tensor2d(labels.map(label => [label])), logits)
      : tf.losses.softmaxCrossEntropy(tf.oneHot(tf.tensor1d(labels, 'int32'), units), logits)
  }, learning)
  return new Map(learning.map(weight => [weight.name, [grads[weight.name].norm().dataSync()[0], weight.norm().dataSync()[0]]]))
}

function gradientOf(layer: Layer, gradients: Map<string, [number, number]>): number | null {
  const inner = layer as unknown as LayersModel,
    layers = Array.isArray(inner.layers) ? leaves(inner) : [layer]
  const own = layers
    .flatMap(one => one.trainableWeights)
    .flatMap(weight => gradients.get((weight.read() as Variable).name) ?? []) as unknown as number[]
  if (!own.length) return null
  const length = (from: number) => Math.hypot(...own.filter((_, i) => i % 2 === from))
  return length(0) / (length(1) || 1)
}

/** What stands in a column for a layer, or for a block of layers. */
interface Measure {
  head: string
  width: number
  text(rows: LayerStatistics[]): string
}

const most = (values: (number | null)[]): string => {
  const known = values.filter(value => value !== null)
  return known.length ? measure(Math.max(...known)) : ''
}

/** Of a block: what its last layer gives, and the most that any of its layers has of the others. */
const measures: Measure[] = [
  { head: 'Mean ± deviation', width: 17, text: rows => `${measure(rows.at(-1)!.mean)} ± ${measure(rows.at(-1)!.deviation)}` },
  { head: 'Zeros', width: 8, text: rows => percent(Math.max(...rows.map(row => row.zeros))) },
  {
    head: 'Silent channels', width: 12, text(rows) {
      const worst = rows.reduce((a, b) => (b.silent / b.channels > a.silent / a.channels ? b : a))
      return worst.silent ? `${worst.silent} of ${worst.channels}` : ''
    },
  },
  { head: 'Gradient / weight', width: 12, text: rows => most(rows.map(row => row.gradient)) },
  { head: 'Change', width: 9, text: rows => most(rows.map(row => row.change)) },
]

/** The statistics as columns of the layer table, for `images` images. */
export function statisticColumns(statistics: LayerStatistics[], images: number): LayerColumn[] {
  const byName = new Map(statistics.map(row => [row.name, row]))
  const known = measures.filter(({ text }) => statistics.some(row => text([row])))
  return known.map(({ head, width, text }, i): LayerColumn => ({
    head, width, align: 'right', total: false,
    text(rows) {
      const some = rows.flatMap(({ name }) => byName.get(name) ?? [])
      return some.length ? text(some) : ''
    },
    ...(i === 0 && { legend: `${head} to ${known.at(-1)!.head}: for ${plural(images, 'image')}; of a block the last layer's ${head.toLowerCase()}, else the most` }),
  }))
}

/** The statistics as a table, folded as the layer table is; what is worth a look is marked. */
export function statisticsTable(model: LayersModel, rows: LayerStatistics[], images: number): MimeBundle {
  const worth = notes(rows), shown = measures.filter(({ text }) => rows.some(row => text([row])))
  const about = `what ${plural(images, 'image')} do in it`
  const layout: Column[] = [
    { head: 'Layer', width: 30 }, { head: 'Type', width: 20 }, ...shown.map(column => ({ ...column, align: 'right' as const })),
  ]
  const cells = (some: LayerStatistics[]) => shown.map(({ text }) => text(some))
  const byName = new Map(rows.map(row => [row.name, row]))
  const lines = (entries: LayerEntry[], depth: number): Branch[] => entries.flatMap((entry): Branch[] => {
    if (isBlock(entry) && entry.kind === 'trunk') return lines(entry.entries, depth)
    const some = rowsOf(entry).flatMap(({ name }) => byName.get(name) ?? []), indent = '&nbsp;'.repeat(3 * depth)
    if (!some.length) return []
    if (isBlock(entry)) {
      const head = [`${indent}<b>${escape(shorten(entry.name, 38))}</b>`, faint(plural(some.length, 'layer')), ...cells(some)]
      const plain = [shorten(entry.name, 38), plural(some.length, 'layer'), ...cells(some)]
      return [{ cells: head, plain, inside: lines(entry.entries, depth + 1) }]
    }
    const words = [shorten(entry.name, 38), entry.type, ...cells(some)]
    return [{ cells: [indent + escape(words[0]), escape(words[1]), ...words.slice(2)], plain: words }]
  })
  const html = frame(
    `<div><b style="font-size:15px">${escape(model.name)}</b> ${faint(about)}</div>`
      + worth.map(line => `<div>${chip('look', palette.validationText)} ${escape(line)}</div>`).join('')
      + table(layout, [], { head: true }) + tree(layout, lines(layerTree(model), 0)),
    1040,
    12,
  )
  const text = [
    `${model.name}: ${about}`,
    ...worth,
    columns(
      [layout.map(({ head }) => head), [], ...rows.map(row => [shorten(row.name, 38), row.type, ...cells([row])])],
      layout.map(({ align }) => align ?? 'left'),
    ),
  ].join('\n')
  return showable({ 'text/html': html, 'text/plain': text })
}

/** What a teacher would point at. */
function notes(rows: LayerStatistics[]): string[] {
  const learning = rows.filter(row => row.gradient !== null),
    still = learning.filter(row => row.gradient === 0)
  const dead = rows.filter(row => /relu/i.test(row.type + row.name) && row.silent > row.channels / 2)
  const wild = rows.filter(row => !Number.isFinite(row.deviation))
  const ratio =
    Math.max(...learning.map(row => row.gradient!)) / Math.min(...learning.filter(row => row.gradient).map(row => row.gradient!))
  const list = (some: LayerStatistics[]) =>
    some
      .slice(0, 3)
      .map(row => `'${row.name}'`)
      .join(', ') + (some.length > 3 ? ', …' : '')
  return [
    wild.length
      ? `The output of ${list(wild)} is no number: the learning rate was too high, or the images have another range than the model expects.`
      : '',
    dead.length ? `More than half of the channels of ${list(dead)} are silent for these images.` : '',
    still.length ? `No gradient reaches ${list(still)}.` : '',
    ratio > 1e4
      ? `Gradients differ by a factor of ${ratio.toExponential(0)} between layers: a rate per group helps, { trunk: …, head: … }.`
      : '',
  ].filter(Boolean)
}
