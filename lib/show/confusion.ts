import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import type { Predictions } from '../train/prediction.ts'
import { figure } from './figure.ts'
import { columns, count, escape, percent, plural, shorten } from './format.ts'
import { inkOn, palette } from './palette.ts'

/** How often each true class (row) was taken for each class (column), and what follows from it. */
export interface Confusion {
  classes: string[]
  /** `counts[truth][predicted]` */
  counts: number[][]
  accuracy: number
  /**
   * Per class: of those that are it, the share found; of those taken for it, the share that is right. `NaN` where there is none.
   */
  recall: number[]
  precision: number[]
  /** Mistakes, the most frequent first. */
  pairs: { truth: string; predicted: string; count: number }[]
}

/**
 * Counts which classes a model takes for which. Precision and recall are as in scikit-learn's `precision_recall_fscore_support`.
 * Throws where no true class is known.
 */
export function confusion(predictions: Predictions): Confusion {
  const known = predictions.filter(one => one.truth !== null)
  if (known.length === 0)
    throw new GraftError(
      'confusion: expected predictions whose true classes are known, received none. Predict a data set: show.confusion(model, data.test).',
    )
  const classes = [...new Set([...known[0].scores.map(score => score.label), ...known.map(one => one.truth!)])].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  )
  const index = new Map(classes.map((name, i) => [name, i]))
  const counts = classes.map(() => classes.map(() => 0))
  for (const one of known) counts[index.get(one.truth!)!][index.get(one.label)!]++
  const right = classes.map((_, i) => counts[i][i])
  const pairs = classes.flatMap((truth, i) =>
    classes.map((predicted, j) => ({ truth, predicted, count: i === j ? 0 : counts[i][j] })),
  )
  return {
    classes,
    counts,
    accuracy: sum(right) / known.length,
    recall: right.map((n, i) => n / sum(counts[i])),
    precision: right.map((n, i) => n / sum(counts.map(row => row[i]))),
    pairs: pairs.filter(pair => pair.count > 0).sort((a, b) => b.count - a.count),
  }
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)

/** The confusion matrix as a picture: true classes down, predicted ones across, the mistakes beside it. */
export function confusionBundle(predictions: Predictions): MimeBundle {
  const found = confusion(predictions)
  const { title, detail } = headline(found)
  return figure(drawing(found), { alt: `Confusion matrix: ${title}. ${detail}. ${listed(found, 5)}`, text: confusionText(found) })
}

function drawing(found: Confusion): string {
  const { classes, counts, recall, pairs } = found,
    n = classes.length
  const size = Math.max(6, Math.min(40, Math.floor(480 / n))),
    side = n * size
  const longest = Math.min(12, Math.max(...classes.map(name => name.length)))
  const left = 46 + longest * 6.5,
    top = 96 + longest * 5.5
  const out: string[] = []
  const text = (x: number, y: number, words: string, letters: number, fill: string = palette.ink, more = '') =>
    out.push(`<text x="${x}" y="${y}" font-size="${letters}" fill="${fill}"${more}>${escape(words)}</text>`)
  const { title, detail } = headline(found)
  text(16, 28, title, 16, palette.ink, ' font-weight="600"')
  text(16, 47, detail, 12, palette.faint)
  text(left + side / 2, 74, 'predicted', 12, palette.faint, ' text-anchor="middle"')
  text(0, 0, 'true', 12, palette.faint, ` text-anchor="middle" transform="translate(24,${top + side / 2}) rotate(-90)"`)
  const letters = Math.min(12, size * 0.7),
    labelled = size >= 9
  for (const [i, name] of classes.entries()) {
    const middle = i * size + size / 2
    if (labelled) {
      text(left - 8, top + middle + letters * 0.36, shorten(name, 12), letters, palette.ink, ' text-anchor="end"')
      text(
        0,
        0,
        shorten(name, 12),
        letters,
        palette.ink,
        ` transform="translate(${left + middle + letters * 0.36},${top - 8}) rotate(-60)"`,
      )
    }
    const most = Math.max(1, sum(counts[i]))
    for (const [j, value] of counts[i].entries()) {
      const fill = shade(value / most, i === j)
      out.push(`<rect x="${left + j * size}" y="${top + i * size}" width="${size - 1}" height="${size - 1}" fill="${fill}"/>`)
      if (value > 0 && size >= 18) {
        text(
          left + j * size + size / 2,
          top + middle + 4,
          String(value),
          Math.min(13, size / 2.2),
          inkOn(fill),
          ' text-anchor="middle"',
        )
      }
    }
    if (labelled) text(left + side + 8, top + middle + letters * 0.36, percent(recall[i]), letters, palette.faint)
  }
  if (labelled) text(left + side + 8, top - 10, 'recall', 11, palette.faint)
  const x = left + side + 90
  text(x, top - 10, pairs.length ? 'most confused' : 'nothing confused', 13, palette.ink, ' font-weight="600"')
  for (const [i, pair] of pairs.slice(0, 10).entries()) {
    text(x, top + 14 + i * 20, `${count(pair.count)} ×`, 12, palette.bad, ' font-weight="600"')
    text(x + 42, top + 14 + i * 20, `${shorten(pair.truth, 16)} taken for ${shorten(pair.predicted, 16)}`, 12)
  }
  const height = Math.max(top + side, top + Math.min(10, pairs.length) * 20) + 20
  return `<svg width="${x + 270}" height="${height}">${out.join('')}</svg>`
}

/** Right ones in blue, mistakes in vermilion, deeper the larger their share of the true class. */
function shade(share: number, right: boolean): string {
  if (share === 0) return '#f3f5f7'
  const full = right ? [0, 114, 178] : [179, 71, 0],
    light = right ? [214, 233, 246] : [252, 226, 208]
  return `#${full
    .map((c, i) =>
      Math.round(light[i] + (c - light[i]) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

function headline({ accuracy, counts }: Confusion): { title: string; detail: string } {
  const all = sum(counts.map(sum)),
    right = Math.round(accuracy * all)
  return {
    title: `${percent(accuracy)} right`,
    detail: `${count(right)} of ${plural(all, 'image')}, ${count(all - right)} wrong`,
  }
}

const listed = ({ pairs }: Confusion, most: number) =>
  pairs.length === 0
    ? 'Nothing is confused.'
    : `Most confused: ${pairs
        .slice(0, most)
        .map(pair => `${pair.truth} taken for ${pair.predicted} (${pair.count})`)
        .join(', ')}.`

/** The matrix in letters for up to twelve classes, else a line per class; then the most confused pairs. */
export function confusionText(found: Confusion): string {
  const { classes, counts, recall, precision } = found,
    { title, detail } = headline(found)
  const matrix = classes.length <= 12
  const head = ['true \\ predicted', ...(matrix ? classes.map(name => shorten(name, 8)) : ['images']), 'recall', 'precision']
  const rows = classes.map((name, i) => [
    shorten(name, 24),
    ...(matrix ? counts[i].map(n => (n ? String(n) : '·')) : [count(sum(counts[i]))]),
    percent(recall[i]),
    percent(precision[i]),
  ])
  return `${title}: ${detail}\n${columns([head, [], ...rows], ['left', ...head.slice(1).map(() => 'right' as const)])}\n${listed(found, 10)}`
}
