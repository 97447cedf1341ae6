import type { TensorInfo } from '@tensorflow/tfjs-core'

/** Numbers that stand for a scalar which is handed in with each call, wherever a step that is written down uses them. */
export class StandIns {
  readonly #known = new Map<number, { scalar: TensorInfo, met: boolean }>()

  /**
   * From now on the number `standIn`, used as a tensor, is the given scalar, and its negative the scalar's; with `null` a number
   * again.
   */
  replace(standIn: number, scalar: TensorInfo | null): void {
    if (scalar) this.#known.set(standIn, { scalar, met: false })
    else this.#known.delete(standIn)
  }

  /** Whether the step used a number that stands for another. */
  hasMet(standIn: number): boolean {
    return this.#known.get(standIn)?.met ?? false
  }

  /** The scalar that a number, or its negative, stands for. */
  meet(number: number): TensorInfo | undefined {
    const found = this.#known.get(Math.abs(number))
    if (found) found.met = true
    return found?.scalar
  }
}
