import type { NamedTensorMap, Variable } from '@tensorflow/tfjs'
import { tf } from '../tf.ts'
import type { Trainee } from './step.ts'

/** A part of a batch that goes through by itself: its share of the images, and whether the update follows it. */
export interface Part { share: number, last: boolean }

/** Gradients of the parts of a batch that went through, by the names of their variables. */
const sums = new WeakMap<Trainee, Map<string, Variable>>()

/** Makes what gradients are added up in. */
export function prepareSums(trainee: Trainee, variables: Variable[]): void {
  const known = sums.get(trainee) ?? new Map<string, Variable>()
  sums.set(trainee, known)
  for (const variable of variables) {
    if (!known.has(variable.name)) known.set(variable.name, tf.tidy(() => tf.variable(tf.zerosLike(variable), false)))
  }
}

/** Adds a part's gradients to those before; after the last one the batch's, else null. */
export function gather(trainee: Trainee, gradients: NamedTensorMap, { share, last }: Part): NamedTensorMap | null {
  const totals = Object.entries(gradients).filter(([, gradient]) => gradient).map(([name, gradient]) => {
    const sum = sums.get(trainee)!.get(name)!, total = sum.add(gradient.mul(share))
    sum.assign(last ? tf.zerosLike(total) : total)
    return [name, total]
  })
  return last ? Object.fromEntries(totals) : null
}

/** Drops the gradients of a batch that was broken off. */
export function emptySums(trainee: Trainee): void {
  for (const sum of sums.get(trainee)?.values() ?? []) tf.tidy(() => sum.assign(tf.zerosLike(sum)))
}

/** Frees what gradients were added up in. */
export function forgetSums(trainee: Trainee): void {
  for (const sum of sums.get(trainee)?.values() ?? []) sum.dispose()
  sums.delete(trainee)
}
