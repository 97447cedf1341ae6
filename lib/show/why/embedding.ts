import type { LayersModel } from '@tensorflow/tfjs'
import type { Layer } from '../../customize/layers.ts'
import type { ImageSet } from '../../data/set.ts'
import { GraftError } from '../../error.ts'
import type { MimeBundle } from '../../host.ts'
import { photoFigure } from '../figure.ts'
import { columns, count, percent, plural, shorten } from '../format.ts'
import { palette } from '../palette.ts'
import { drawing, element, image, rect, text, titles } from '../svg.ts'
import { thumbnail } from '../thumbnail.ts'
import { featuresOf, neighbourAgreement } from './alike.ts'

export interface EmbeddingOptions {
  /** The layer whose output is drawn: its name, its index, or itself. Default: what the last layer is fed with. */
  layer?: string | number | Layer
  /** `pca` (default): the two directions of greatest variance; `umap`: neighbours stay neighbours (McInnes et al. 2018). */
  method?: 'pca' | 'umap'
  /** How many images at most, spread over the set. Default 500. */
  count?: number
  /** Of UMAP's random start. Default 0. */
  seed?: number
}

/** Lays features out in the plane: `[x, y]` of each row, both from 0 to 1. */
export async function layOut(
  rows: Float32Array[],
  method: 'pca' | 'umap',
  seed = 0,
): Promise<{ points: [number, number][]; explained: number | null }> {
  if (rows.length < 3) throw new GraftError(`an embedding needs 3 images or more; received ${rows.length}.`)
  if (method === 'umap') {
    const [{ UMAP }, { randomFrom }] = await Promise.all([import('umap-js'), import('../../data/random.ts')])
    const umap = new UMAP({ nNeighbors: Math.min(15, rows.length - 1), random: randomFrom(seed, 'umap') })
    return { points: fitted(await umap.fitAsync(rows.map(row => Array.from(row)))), explained: null }
  }
  const { PCA } = await import('ml-pca')
  const data = rows.map(row => Array.from(row)),
    pca = new PCA(data, { method: 'NIPALS', nCompNIPALS: 2 })
  const points = pca.predict(data, { nComponents: 2 }).to2DArray()
  return { points: fitted(points), explained: variance(points) / (variance(data) || 1) }
}

/** The sum of the columns' variances. */
function variance(rows: number[][]): number {
  return rows[0].reduce((sum, _, k) => {
    const mean = rows.reduce((all, row) => all + row[k], 0) / rows.length
    return sum + rows.reduce((all, row) => all + (row[k] - mean) ** 2, 0) / rows.length
  }, 0)
}

function fitted(points: number[][]): [number, number][] {
  const [low, high] = [Math.min, Math.max].map(of => [0, 1].map(axis => of(...points.map(point => point[axis] ?? 0))))
  return points.map(
    point => [0, 1].map(axis => ((point[axis] ?? 0) - low[axis]) / (high[axis] - low[axis] || 1)) as [number, number],
  )
}

/** Images of a set laid out by what the model makes of them: alike ones lie together. */
export async function embeddingBundle(model: LayersModel, set: ImageSet, options: EmbeddingOptions): Promise<MimeBundle> {
  const method = options.method ?? 'pca',
    rows = await featuresOf(model, set, options.layer)
  const { points, explained } = await layOut(rows, method, options.seed)
  const known = set.classes.length > 1,
    agreement = known ? neighbourAgreement(rows, set.labels) : null
  const title = `${plural(set.length, 'image')} as '${model.name}' sees them`
  const detail = [
    `${count(rows[0].length)} features laid out by ${method.toUpperCase()}`,
    explained !== null && `${percent(explained)} of the variance`,
    agreement !== null && `nearest neighbour of the same class: ${percent(agreement)}`,
  ]
    .filter(Boolean)
    .join(' · ')
  const wide = 720,
    high = 520,
    thumb = set.length <= 80 ? 40 : set.length <= 250 ? 28 : 18,
    // Six colours can be told apart; classes beyond have them again, dashed.
    edge = (label: number) => ({
      fill: 'none', stroke: palette.series[label % palette.series.length], 'stroke-width': 2,
      'stroke-dasharray': [undefined, '4 2', '1 2', '8 2 2 2'][Math.floor(label / palette.series.length)],
    })
  const pictures = await Promise.all(
    points.map(async ([x, y], i) => {
      const left = 24 + x * (wide - thumb - 48),
        top = 64 + (1 - y) * (high - thumb - 16)
      return (
        image(left, top, thumb, await thumbnail(await set.bitmap(i), 2 * thumb))
        + (known ? rect(left, top, thumb, thumb, edge(set.labels[i])) : '')
      )
    }),
  )
  const legend = known
    ? set.classes
        .slice(0, 24)
        .map((name, i) =>
          element(
            'g',
            {},
            rect(wide + 8, 62 + i * 20, 14, 14, edge(i)),
            text(wide + 26, 74 + i * 20, shorten(name, 16), { size: 11 }),
          ),
        )
    : []
  const svg = drawing(wide + (known ? 140 : 0), high + 72, titles(title, detail), ...pictures, ...legend)
  return photoFigure(svg, { alt: `${title}: ${detail}`, text: `${title}: ${detail}\n${known ? centres(points, set) : ''}` })
}

/** Where the classes lie, in letters: mean place of each, and how far its images are from it. */
function centres(points: [number, number][], set: ImageSet): string {
  const rows = set.classes.flatMap((name, label) => {
    const own = points.filter((_, i) => set.labels[i] === label)
    if (!own.length) return []
    const [x, y] = [0, 1].map(axis => own.reduce((sum, point) => sum + point[axis], 0) / own.length)
    const away = own.reduce((sum, point) => sum + Math.hypot(point[0] - x, point[1] - y), 0) / own.length
    return [[shorten(name, 24), String(own.length), x.toFixed(2), y.toFixed(2), away.toFixed(2)]]
  })
  return columns([['Class', 'Images', 'x', 'y', 'Spread'], [], ...rows], ['left', 'right', 'right', 'right', 'right'])
}
