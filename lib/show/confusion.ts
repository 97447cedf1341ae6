import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import type { Predictions } from '../train/prediction.ts'
import { figure } from './figure.ts'
import { columns, count, percent, plural, shorten } from './format.ts'
import { inkOn, palette } from './palette.ts'
import { drawing, rect, text, titles, type Lettering } from './svg.ts'

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
  /** The harmonic mean of the two. */
  f1: number[]
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
      'confusion: expected predictions whose true classes are known, received none. '
        + 'Predict a data set: show.confusion(model, data.test).',
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
  const found = right.map((_, i) => sum(counts[i])), said = right.map((_, i) => sum(counts.map(row => row[i])))
  return {
    classes,
    counts,
    accuracy: sum(right) / known.length,
    recall: right.map((n, i) => n / found[i]),
    precision: right.map((n, i) => n / said[i]),
    f1: right.map((n, i) => (2 * n) / (found[i] + said[i])),
    pairs: pairs.filter(pair => pair.count > 0).sort((a, b) => b.count - a.count),
  }
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)

/** The confusion matrix as a picture: true classes down, predicted ones across, the mistakes beside it. */
export function confusionBundle(predictions: Predictions): MimeBundle {
  const found = confusion(predictions)
  const { title, detail } = headline(found)
  return figure(matrix(found), { alt: `Confusion matrix: ${title}. ${detail}. ${listed(found, 5)}`, text: confusionText(found) })
}

function matrix(found: Confusion): string {
  const { classes, counts, pairs } = found
  const scores = { recall: found.recall, precision: found.precision, F1: found.f1 }
  const size = Math.max(6, Math.min(40, Math.floor(480 / classes.length)))
  const side = classes.length * size
  const longest = Math.min(12, Math.max(...classes.map(name => name.length)))
  const left = 46 + longest * 6.5
  // Names of few letters stand upright, longer ones lean.
  const upright = longest * 7 <= size
  const top = upright ? 104 : 96 + longest * 5.5
  const right = left + side + 8
  const letters: Lettering = { size: Math.min(12, size * 0.7) }
  const labelled = size >= 9
  const { title, detail } = headline(found)
  const faint: Lettering = { fill: palette.faint, anchor: 'middle' }
  const out = [
    titles(title, detail),
    text(left + side / 2, 74, 'predicted', faint),
    text(0, 0, 'true', { ...faint, transform: `translate(24,${top + side / 2}) rotate(-90)` }),
  ]
  for (const [i, name] of classes.entries()) {
    const middle = i * size + size / 2
    const base = middle + letters.size! * 0.36
    if (labelled) {
      const turned = `translate(${left + base},${top - 8}) rotate(-60)`
      out.push(
        text(left - 8, top + base, shorten(name, 12), { ...letters, anchor: 'end' }),
        upright ? text(left + middle, top - 8, name, { ...letters, anchor: 'middle' })
          : text(0, 0, shorten(name, 12), { ...letters, transform: turned }),
        ...Object.values(scores).map((values, k) =>
          text(right + 48 + 58 * k, top + base, percent(values[i]), { ...letters, fill: palette.faint, anchor: 'end' })),
      )
    }
    const most = Math.max(1, sum(counts[i]))
    for (const [j, value] of counts[i].entries()) {
      const x = left + j * size
      const fill = shade(value / most, i === j)
      out.push(rect(x, top + i * size, size - 1, size - 1, { fill }))
      if (value === 0 || size < 18) continue
      const inside: Lettering = { size: Math.min(13, size / 2.2), fill: inkOn(fill), anchor: 'middle' }
      out.push(text(x + size / 2, top + middle + 4, String(value), inside))
    }
  }
  if (labelled) {
    out.push(...Object.keys(scores).map((name, k) =>
      text(right + 48 + 58 * k, top - 8, name, { size: 11, fill: palette.faint, anchor: 'end' })))
  }
  const x = right + (labelled ? 208 : 32)
  out.push(text(x, top - 10, pairs.length ? 'most confused' : 'nothing confused', { size: 13, bold: true }))
  for (const [i, pair] of pairs.slice(0, 10).entries()) {
    out.push(
      text(x, top + 14 + i * 20, `${count(pair.count)} ×`, { fill: palette.bad, bold: true }),
      text(x + 42, top + 14 + i * 20, sentence(pair)),
    )
  }
  const words = Math.max(16, ...pairs.slice(0, 10).map(pair => sentence(pair).length))
  return drawing(x + 60 + words * 6.5, top + Math.max(side, Math.min(10, pairs.length) * 20) + 20, ...out)
}

const sentence = ({ truth, predicted }: { truth: string; predicted: string }) => `${shorten(truth, 16)} taken for ${shorten(predicted, 16)}`

/** Right ones in blue, mistakes in vermilion, deeper the larger their share of the true class. */
function shade(share: number, right: boolean): string {
  if (share === 0) return '#f3f5f7'
  const full = right ? [0, 114, 178] : [179, 71, 0]
  const light = right ? [214, 233, 246] : [252, 226, 208]
  const channels = full.map((c, i) => Math.round(light[i] + (c - light[i]) * share))
  return `#${channels.map(c => c.toString(16).padStart(2, '0')).join('')}`
}

function headline({ accuracy, counts }: Confusion): { title: string; detail: string } {
  const all = sum(counts.map(sum))
  const right = Math.round(accuracy * all)
  return {
    title: `${percent(accuracy)} right`,
    detail: `${count(right)} of ${plural(all, 'image')}, ${count(all - right)} wrong`,
  }
}

function listed({ pairs }: Confusion, most: number): string {
  if (pairs.length === 0) return 'Nothing is confused.'
  const some = pairs.slice(0, most).map(pair => `${pair.truth} taken for ${pair.predicted} (${pair.count})`)
  return `Most confused: ${some.join(', ')}.`
}

/** The matrix in letters for up to twelve classes, else a line per class; then the most confused pairs. */
export function confusionText(found: Confusion): string {
  const { classes, counts, recall, precision, f1 } = found
  const { title, detail } = headline(found)
  const matrix = classes.length <= 12
  const head = ['true \\ predicted', ...(matrix ? classes.map(name => shorten(name, 8)) : ['images']), 'recall', 'precision', 'F1']
  const rows = classes.map((name, i) => [
    shorten(name, 24),
    ...(matrix ? counts[i].map(n => (n ? String(n) : '·')) : [count(sum(counts[i]))]),
    percent(recall[i]),
    percent(precision[i]),
    percent(f1[i]),
  ])
  const table = columns([head, [], ...rows], ['left', ...head.slice(1).map(() => 'right' as const)])
  return `${title}: ${detail}\n${table}\n${listed(found, 10)}`
}
