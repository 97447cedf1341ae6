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
type Message = { ready?: true; stop?: true; pause?: true; resume?: true; factor?: number }

/** A run that is over sooner needs no buttons, in milliseconds. */
const patience = 1000

/**
 * Buttons under the plot of a run that takes a while: stop, pause, another learning rate. They need a front end with widgets:
 * set-up notes in the kernel's environment whether the server has them (`GRAFT_WIDGETS`), and a browser has to answer, which a
 * notebook that is executed without one does not.
 */
export class TrainingControls {
  readonly #control: Controlled
  readonly #host: Host = host()
  readonly #id = displayId()
  readonly #started = performance.now()
  #widget: Widget<State> | null = null
  #state: 'asked' | 'ready' | 'shown' = 'asked'

  constructor(control: Controlled) {
    this.#control = control
  }

  /** Asks once the run has lasted a while whether a browser can show buttons; shows them, and how things stand. */
  draw(): void {
    if (process.env.GRAFT_WIDGETS !== '1') return
    if (this.#widget) this.#widget.set({ paused: this.#control.paused, rate: inWords(this.#control) })
    else if (performance.now() - this.#started > patience) this.#ask()
    // Here and not where the answer comes: what is displayed belongs to the cell whose work it is.
    if (this.#state !== 'ready') return
    this.#state = 'shown'
    this.#host.display(this.#widget![displaySymbol](), this.#id)
  }

  /** Takes the buttons away. */
  end(): void {
    this.#widget?.set({ over: true })
    this.#widget?.close()
    if (this.#state === 'shown') this.#host.update(this.#id, { 'text/html': '', 'text/plain': '' })
  }

  #ask(): void {
    this.#widget = new Widget<State>({
      ...frontEnd('training'),
      state: { paused: this.#control.paused, over: false, rate: inWords(this.#control) },
      fallback: { 'text/html': '', 'text/plain': '' },
    }).onMessage(message => this.#act(message as Message))
    this.#widget.connect()
  }

  #act({ ready, stop, pause, resume, factor }: Message): void {
    const control = this.#control
    if (ready) {
      if (this.#state === 'asked') this.#state = 'ready'
      return
    }
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
