import { GraftError } from '../error.ts'
import { displayId, displaySymbol, host, type Host } from '../host.ts'
import type { LearningRate } from '../train/rates.ts'
import { measure } from './format.ts'
import { frontEnd, Widget } from './widget.ts'

/** What the buttons do to a run. */
export interface Controlled {
  readonly paused: boolean
  readonly run: { learningRate: LearningRate } | null
  changeRate: ((rate: LearningRate) => void) | null
  end(reason: 'stopped'): void
  pause(): void
  go(): void
}

interface State {
  paused: boolean
  over: boolean
  rate: string
}
type Message = { stop?: true; pause?: true; resume?: true; factor?: number }

/** A run that is over sooner needs no buttons, in milliseconds. */
const patience = 1000

/**
 * Buttons under the plot of a run that takes a while: stop, pause, another learning rate. They need a front end with widgets,
 * which set-up notes in the kernel's environment (`GRAFT_WIDGETS`), and leave nothing behind when the run is over.
 */
export class TrainingControls {
  readonly #control: Controlled
  readonly #host: Host = host()
  readonly #id = displayId()
  readonly #started = performance.now()
  #widget: Widget<State> | null = null

  constructor(control: Controlled) {
    this.#control = control
  }

  /** Shows the buttons once the run has lasted a while, and how things stand. */
  draw(): void {
    if (process.env.GRAFT_WIDGETS !== '1') return
    if (this.#widget) return this.#widget.set({ paused: this.#control.paused, rate: inWords(this.#control) })
    if (performance.now() - this.#started < patience) return
    const widget = new Widget<State>({
      ...frontEnd('training'),
      state: { paused: this.#control.paused, over: false, rate: inWords(this.#control) },
      fallback: { 'text/html': '', 'text/plain': '' },
    })
    this.#widget = widget.onMessage(message => this.#act(message as Message))
    this.#host.display(widget[displaySymbol](), this.#id)
  }

  /** Takes the buttons away. */
  end(): void {
    if (!this.#widget) return
    this.#widget.set({ over: true })
    this.#widget.close()
    this.#host.update(this.#id, { 'text/html': '', 'text/plain': '' })
  }

  #act({ stop, pause, resume, factor }: Message): void {
    const control = this.#control
    if (stop) control.end('stopped')
    if (pause) control.pause()
    if (resume) control.go()
    if (typeof factor === 'number' && factor > 0 && control.run && control.changeRate) {
      try {
        control.changeRate(scaled(control.run.learningRate, factor))
      } catch (error) {
        if (!(error instanceof GraftError)) throw error
      }
    }
    this.draw()
  }
}

/** A rate, or one per group, times a factor. */
export function scaled(rate: LearningRate, factor: number): LearningRate {
  if (typeof rate === 'number') return rate * factor
  return Object.fromEntries(
    Object.entries(rate).map(([group, value]) => [group, typeof value === 'number' ? value * factor : value]),
  ) as LearningRate
}

function inWords({ run }: Controlled): string {
  const rate = run?.learningRate
  if (rate === undefined) return '?'
  return typeof rate === 'number'
    ? measure(rate)
    : Object.entries(rate)
        .map(([group, value]) => `${group} ${measure(Number(value))}`)
        .join(', ')
}
