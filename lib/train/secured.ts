import type { Optimizer } from '@tensorflow/tfjs'
import { secure, wasLost } from '../engine/secure.ts'
import { GroupedOptimizer } from './optimizers.ts'

/** Weights and optimizer between two epochs, kept where a graphics card that is lost does not take them along. */
export class Secured {
  readonly #optimizer: Optimizer
  readonly #steps: number

  private constructor(optimizer: Optimizer) {
    this.#optimizer = optimizer
    this.#steps = optimizer.iterations
  }

  static async now(optimizer: Optimizer): Promise<Secured> {
    await secure()
    return new Secured(optimizer)
  }

  /**
   * Brings weights and optimizer back to what they were then where the graphics card was lost.
   *
   * @throws the error itself where it is another, or where the optimizer had made what it keeps of the weights since then
   */
  async bringsBack(error: unknown): Promise<null> {
    const optimizer = this.#optimizer as unknown as { iterations_: number }
    if (!await wasLost(error)) throw error
    if (this.#steps === 0) {
      if (!(this.#optimizer instanceof GroupedOptimizer)) throw error
      this.#optimizer.reset()
    }
    optimizer.iterations_ = this.#steps
    return null
  }

  /** Does work that changes neither weights nor optimizer, once more where the graphics card was lost on the way. */
  async again<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!await wasLost(error)) throw error
      return work()
    }
  }
}
