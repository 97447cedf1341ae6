import { escape } from './format.ts'
import { palette } from './palette.ts'

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
  y: { domain: [number, number]; format(value: number): string }
  curves: Curve[]
  /** A vertical line with a word at its top. */
  mark?: { x: number; label: string }
}

const left = 46,
  right = 92,
  top = 42,
  bottom = 38

/**
 * A line chart as SVG, written without a document: it is drawn four times a second beside training, where Plot's 20 ms would
 * slow the work down. Curves are labelled at their ends and differ by colour, dash and marker.
 */
export function lineChart(chart: Chart): string {
  const { width, height } = chart
  const w = width - left - right,
    h = height - top - bottom
  const [x0, x1] = chart.x.domain,
    [y0, y1] = chart.y.domain
  const x = (value: number) => round(left + ((value - x0) / (x1 - x0 || 1)) * w)
  const y = (value: number) => round(top + h - ((value - y0) / (y1 - y0 || 1)) * h)
  const out: string[] = []
  const text = (px: number, py: number, words: string, more = '') =>
    out.push(`<text x="${round(px)}" y="${round(py)}"${more}>${escape(words)}</text>`)

  text(left - 30, 16, chart.title, ` font-size="13" font-weight="600" fill="${palette.ink}"`)
  for (const tick of ticks(y0, y1, 5)) {
    out.push(`<line x1="${left}" x2="${left + w}" y1="${y(tick)}" y2="${y(tick)}" stroke="${palette.grid}"/>`)
    text(left - 8, y(tick) + 4, chart.y.format(tick), ` text-anchor="end" fill="${palette.faint}"`)
  }
  for (const tick of ticks(x0, x1, Math.min(width / 30, Math.max(1, x1 - x0))).filter(Number.isInteger)) {
    text(x(tick), top + h + 16, String(tick), ` text-anchor="middle" fill="${palette.faint}"`)
  }
  out.push(`<line x1="${left}" x2="${left + w}" y1="${top + h}" y2="${top + h}" stroke="${palette.faint}"/>`)
  text(left + w / 2, top + h + 32, chart.x.label, ` text-anchor="middle" fill="${palette.faint}"`)
  if (chart.mark) {
    const at = x(chart.mark.x)
    out.push(`<line x1="${at}" x2="${at}" y1="${top}" y2="${top + h}" stroke="${palette.faint}" stroke-dasharray="2 3"/>`)
    text(Math.min(at, left + w - 20), top - 6, chart.mark.label, ` text-anchor="middle" fill="${palette.faint}"`)
  }
  const curves = chart.curves.map(curve => ({ ...curve, points: curve.points.filter(([, value]) => Number.isFinite(value)) }))
  for (const curve of curves) out.push(drawn(curve, x, y))
  const named = curves.filter(curve => !curve.thin && curve.points.length > 0)
  const ends = named
    .map(curve => ({ curve, x: x(curve.points.at(-1)![0]), at: y(curve.points.at(-1)![1]) }))
    .sort((a, b) => a.at - b.at)
  const places = spread(
    ends.map(end => end.at),
    14,
    top + 4,
    top + h,
  )
  for (const [i, end] of ends.entries()) {
    text(Math.min(end.x + 10, left + w + 10), places[i] + 4, end.curve.name, ` font-weight="600" fill="${end.curve.text}"`)
  }
  return `<g font-size="11">${out.join('')}</g>`
}

function drawn(curve: Curve, x: (v: number) => number, y: (v: number) => number): string {
  const { points } = curve
  const path = points.map(([px, py], i) => `${i ? 'L' : 'M'}${x(px)},${y(py)}`).join('')
  const line =
    `<path d="${path}" fill="none" stroke="${curve.color}" stroke-width="${curve.thin ? 1 : 2}"${curve.thin ? ' stroke-opacity="0.45"' : ''}`
    + `${curve.dashed ? ' stroke-dasharray="6 3"' : ''} stroke-linejoin="round" stroke-linecap="round"/>`
  if (curve.thin || points.length > 60) return points.length > 1 ? line : ''
  const marks = points.map(([px, py]) =>
    curve.dashed
      ? `<rect x="${round(x(px) - 3)}" y="${round(y(py) - 3)}" width="6" height="6" fill="${palette.card}" stroke="${curve.color}" stroke-width="1.5"/>`
      : `<circle cx="${x(px)}" cy="${y(py)}" r="3" fill="${curve.color}"/>`,
  )
  return line + marks.join('')
}

/** Round numbers from `low` to `high`, about `count` of them: steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low]
  const rough = (high - low) / count,
    power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough * 0.999)!
  const out: number[] = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i++) out.push(parseFloat((i * step).toPrecision(12)))
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
