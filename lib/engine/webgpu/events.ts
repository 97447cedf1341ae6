import { GraftError } from '../../error.ts'

/** Dawn's classes, by their names in WebGPU. */
export type Classes = Record<string, { prototype: Record<string, unknown> }>

/** What Dawn gives promises for, by class. */
const promising = {
  GPU: ['requestAdapter'], GPUAdapter: ['requestDevice'], GPUBuffer: ['mapAsync'], GPUQueue: ['onSubmittedWorkDone'],
  GPUDevice: ['popErrorScope', 'createComputePipelineAsync', 'createRenderPipelineAsync'],
  GPUShaderModule: ['getCompilationInfo'],
}

/** Looks for what is done so many times in a row before it leaves the processor to others for a millisecond each time. */
const eager = 64

/**
 * When Dawn looks for what the GPU has done. Its Node binding asks `setImmediate` for a turn of the event loop each time, as long
 * as a promise is open, which keeps a processor busy and leaves no way to wait without the event loop. Here its turns are kept and
 * given to it: in the event loop while a promise is open, or at once for who cannot wait for the loop.
 */
export class Events {
  #turns: (() => void)[] = []
  #open = 0
  #scheduled = false
  #idle = 0

  /** To be made once, before the first of Dawn's calls. */
  constructor(classes: Classes) {
    const events = this
    for (const [name, methods] of Object.entries(promising)) {
      for (const method of methods) {
        const { prototype } = classes[name], own = prototype[method] as (...args: unknown[]) => Promise<unknown>
        prototype[method] = function (...args: unknown[]) {
          return events.#followed(events.#keepingTurns(() => own.apply(this, args)))
        }
      }
    }
  }

  /** Gives Dawn turns until `done`; the event loop stands still meanwhile. */
  waitFor(done: () => boolean): void {
    while (!done()) if (!this.#give() && !done()) throw new GraftError('the GPU gave no answer.')
  }

  /** The turns that Dawn waits for; false where it wants none. */
  #give(): boolean {
    const turns = this.#turns
    this.#turns = []
    for (const turn of turns) this.#keepingTurns(turn)
    return turns.length > 0
  }

  #keepingTurns<T>(call: () => T): T {
    const usual = globalThis.setImmediate
    globalThis.setImmediate = ((turn: () => void) => { this.#turns.push(turn) }) as unknown as typeof setImmediate
    try {
      return call()
    } finally {
      globalThis.setImmediate = usual
    }
  }

  async #followed<T>(promise: Promise<T>): Promise<T> {
    this.#open++
    this.#idle = 0
    this.#schedule()
    try {
      return await promise
    } finally {
      this.#open--
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#open === 0) return
    this.#scheduled = true
    const next = () => {
      this.#scheduled = false
      this.#give()
      this.#schedule()
    }
    if (this.#idle++ < eager) setImmediate(next)
    else setTimeout(next, 1)
  }
}
