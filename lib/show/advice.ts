import { inspect } from 'node:util'
import type { Forecast } from '../customize/forecast.ts'
import type { Findings, Method, Recommendation } from '../customize/recommend.ts'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { columns, count, duration, escape, percent, plural } from './format.ts'
import { chip, faint, frame, table, type Column } from './html.ts'
import { palette } from './palette.ts'

/** What `advise` answers with: the method, why, and what was measured. It shows itself. */
export class Advice implements Recommendation {
  /** The method, by its name in `customize`. */
  readonly method: Method
  /**
   * Options to go with it: `customize[advice.method](base, { classes, ...advice.options })`; `modify` takes layers of your own,
   * `add`.
   */
  readonly options: Recommendation['options']
  readonly reasons: string[]
  readonly findings: Findings
  /** What each method takes on this machine. */
  readonly forecast: Record<Method, Forecast>
  readonly epochs: number
  readonly #base: string

  constructor(base: string, findings: Findings, forecast: Record<Method, Forecast>, epochs: number, answer: Recommendation) {
    this.method = answer.method
    this.options = answer.options
    this.reasons = answer.reasons
    this.findings = findings
    this.forecast = forecast
    this.epochs = epochs
    this.#base = base
  }

  /** The call that follows the advice. */
  get call(): string {
    const options = Object.entries(this.options).map(([name, value]) => `, ${name}: ${inspect(value)}`).join('')
    const add = this.method === 'modify' ? ", add: [tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' })]" : ''
    return `customize.${this.method}(base, { classes: data.classes${options}${add} })`
  }

  [displaySymbol](): MimeBundle {
    const rows = methods.map(method => {
      const row = this.#row(method).map(escape)
      return method === this.method ? [`<b>${row[0]}</b> ${chip('advised', palette.good)}`, ...row.slice(1)] : row
    })
    const lines = [...this.reasons.map(escape), faint(escape(this.#measured))]
    const html = frame(`<div><b style="font-size:15px">${escape(this.call)}</b></div>${lines.map(line => `<div>${line}</div>`).join('')}` +
      table(layout(this.epochs), rows, { head: true }))
    return { 'text/html': html, 'text/plain': this[inspect.custom]() }
  }

  [inspect.custom](): string {
    const rows = methods.map(method => [method === this.method ? '→' : '', ...this.#row(method)])
    const heads = ['', ...layout(this.epochs).map(({ head }) => head)]
    return [this.call, ...this.reasons, this.#measured,
      columns([heads, [], ...rows], ['left', 'left', 'right', 'right', 'right'])].join('\n')
  }

  get #measured(): string {
    const { images, classes, perClass, probe, earlier } = this.findings
    const values = [...earlier, { stride: null, probe }].map(({ stride, probe: { accuracy } }) =>
      `${percent(accuracy)} by ${stride ? `features of stride ${stride}` : 'the last'}`)
    return `${this.#base}: ${plural(images, 'image')} of ${plural(classes, 'class', 'classes')}, ${perClass} or more each. A linear classifier, ` +
      `each image judged by one that never saw it: ${values.join(', ')}.`
  }

  #row(method: Method): string[] {
    const { seconds, bytes, weights } = this.forecast[method]
    return [method, duration(seconds), `${count(bytes / 1e6)} MB`, count(weights)]
  }
}

const methods: Method[] = ['extract', 'fineTune', 'modify']

const layout = (epochs: number): Column[] => [
  { head: 'Method', width: 40 }, { head: `Time, ${plural(epochs, 'epoch')}`, width: 20, align: 'right' },
  { head: 'Memory', width: 20, align: 'right' }, { head: 'Weights that learn', width: 20, align: 'right' },
]
