import { rate } from './format.ts'
import { lineChart } from './line-chart.ts'
import { palette } from './palette.ts'
import { ratesByGroup, type RunView } from './run-view.ts'

/**
 * The learning rate over the epochs, for under the curves of a run, and where layers began to learn that had waited; nothing where
 * neither says anything. Of several rates the highest is drawn, for they keep their proportions.
 */
export function rateChart(run: RunView, size: { width: number, height: number, x: [number, number] }): string | null {
  const rates = (run.rates ?? []).filter(Number.isFinite), { unfrozen } = run
  const low = Math.min(...rates), high = Math.max(...rates)
  if (rates.length < 2 || (low === high && !unfrozen)) return null
  // Rates that span decades are drawn by their exponents.
  const decades = low > 0 && high / low > 100, scaled = (value: number) => decades ? Math.log10(value) : value
  const [first, ...others] = ratesByGroup(run)
  const groups = others.length ? `: ${first.name} (${others.map(({ name, share }) => `${name} × ${rate(share)}`).join(', ')})` : ''
  const span: [number, number] = decades ? [Math.floor(scaled(low)), Math.ceil(scaled(high))] : [0, high]
  return lineChart({
    title: `Learning rate${groups}`, width: size.width, height: size.height,
    x: { domain: size.x, label: 'epoch' },
    y: {
      domain: span, count: decades ? Math.min(4, span[1] - span[0]) : 2,
      format: value => !decades ? rate(value) : Number.isInteger(value) ? rate(10 ** value) : '',
    },
    curves: [{
      name: rate(rates.at(-1)!), color: palette.ink, text: palette.ink, points: rates.map((value, i) => [i + 1, scaled(value)]),
    }],
    marks: !unfrozen ? []
      : [{ x: unfrozen.epoch - 1, label: `from ${unfrozen.epoch}: ${unfrozen.layers} more learn`, color: palette.good }],
  })
}
