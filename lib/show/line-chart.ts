import { palette } from './palette.ts'
import { element, rect, text, type Lettering } from './svg.ts'

export interface Curve {
  name: string
  color: string
  /** The label's colour, dark enough for text. */
  text: string
  dashed?: boolean
  /** A line without points or label, in the background. */
  thin?: boolean
  /** Those that are not finite are left out. */
  points: [x: number, y: number][]
}

export interface Chart {
  title: string
  width: number
  height: number
  x: { domain: [number, number]; label: string }
  /** `count`: about how many lines across. Default 5. */
  y: { domain: [number, number]; count?: number; format(value: number): string }
  curves: Curve[]
  /** Vertical lines, with a word at the top. */
  marks?: { x: number; label?: string; color?: string }[]
}

const left = 46
const right = 92
const top = 42
const bottom = 38

/**
 * A line chart as SVG, written without a document: it is drawn four times a second beside training, where Plot's 20 ms would
 * slow the work down. Curves are labelled at their ends and differ by colour, dash and marker.
 */
export function lineChart(chart: Chart): string {
  const { width, height } = chart
  const w = width - left - right
  const h = height - top - bottom
  const [x0, x1] = chart.x.domain
  const [y0, y1] = chart.y.domain
  const x = (value: number) => round(left + ((value - x0) / (x1 - x0 || 1)) * w)
  const y = (value: number) => round(top + h - ((value - y0) / (y1 - y0 || 1)) * h)
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, dash?: string) =>
    element('line', { x1, y1, x2, y2, stroke, 'stroke-dasharray': dash })
  const faint: Lettering = { size: 11, fill: palette.faint, anchor: 'middle' }
  const out = [text(left - 30, 16, chart.title, { size: 13, bold: true })]
  for (const tick of ticks(y0, y1, chart.y.count ?? 5)) {
    out.push(line(left, y(tick), left + w, y(tick), palette.grid))
    out.push(text(left - 8, y(tick) + 4, chart.y.format(tick), { ...faint, anchor: 'end' }))
  }
  const room = Math.max(30, 16 + 7 * String(x1).length)
  for (const tick of ticks(x0, x1, Math.min(width / room, Math.max(1, x1 - x0))).filter(Number.isInteger)) {
    out.push(text(x(tick), top + h + 16, String(tick), faint))
  }
  out.push(line(left, top + h, left + w, top + h, palette.faint), text(left + w / 2, top + h + 32, chart.x.label, faint))
  for (const { x: place, label, color = palette.faint } of chart.marks ?? []) {
    const at = x(place)
    out.push(line(at, top, at, top + h, color, '2 3'))
    if (!label) continue
    // In the middle over the line, but within the chart; its width is estimated.
    const half = label.length * 2.9
    out.push(text(Math.min(Math.max(at, left + half), left + w + right - half - 4), top - 6, label, { ...faint, fill: color }))
  }
  const curves = chart.curves.map(curve => ({ ...curve, points: curve.points.filter(([, value]) => Number.isFinite(value)) }))
  const ends = curves.filter(curve => !curve.thin && curve.points.length > 0)
    .map(curve => ({ curve, x: x(curve.points.at(-1)![0]), at: y(curve.points.at(-1)![1]) })).sort((a, b) => a.at - b.at)
  const places = spread(ends.map(end => end.at), 14, top + 4, top + h)
  out.push(...curves.map(curve => drawn(curve, x, y)))
  for (const [i, end] of ends.entries()) {
    const { name, text: fill } = end.curve
    out.push(text(Math.min(end.x + 10, left + w + 10), places[i] + 4, name, { size: 11, bold: true, fill }))
  }
  return out.join('')
}

function drawn(curve: Curve, x: (v: number) => number, y: (v: number) => number): string {
  const { points, color } = curve
  const line = element('path', {
    d: points.map(([px, py], i) => `${i ? 'L' : 'M'}${x(px)},${y(py)}`).join(''),
    fill: 'none', stroke: color, 'stroke-width': curve.thin ? 1 : 2, 'stroke-opacity': curve.thin ? '0.45' : undefined,
    'stroke-dasharray': curve.dashed ? '6 3' : undefined, 'stroke-linejoin': 'round', 'stroke-linecap': 'round',
  })
  if (curve.thin || points.length > 60) return points.length > 1 ? line : ''
  const marks = points.map(([px, py]) => curve.dashed
    ? rect(x(px) - 3, y(py) - 3, 6, 6, { fill: palette.card, stroke: color, 'stroke-width': 1.5 })
    : element('circle', { cx: x(px), cy: y(py), r: 3, fill: color }))
  return line + marks.join('')
}

/** Round numbers from `low` to `high`, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough * 0.999)!
  const out: number[] = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) out.push(parseFloat((i * step).toPrecision(12)))
  return out
}

/** Moves places at least `gap` apart, in their order, within the bounds. */
function spread(places: number[], gap: number, low: number, high: number): number[] {
  const out = [...places]
  for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i], i ? out[i - 1] + gap : low)
  for (let i = out.length - 1; i >= 0; i--) out[i] = Math.min(out[i], i < out.length - 1 ? out[i + 1] - gap : high)
  return out
}

const round = (value: number) => Math.round(value * 10) / 10
