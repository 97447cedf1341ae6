import type { Tensor } from '@tensorflow/tfjs'
import { leaves } from '../customize/layers.ts'
import { Repeated, type Step } from '../engine/repeat.ts'
import { Stopped } from '../engine/tracing.ts'
import { forgetSums } from './gather.ts'
import type { Objective, Trainee } from './step.ts'

/** What a trainee's steps are run as, for as long as it is trained. */
const functions = new WeakMap<Trainee, Repeated>()

/** Lets go of what a trainee's steps were run as, once it is no longer trained. */
export function forgetFunctions(trainee: Trainee): void {
  functions.get(trainee)?.dispose()
  functions.delete(trainee)
  forgetSums(trainee)
}

/** Why a trainee's steps run operation by operation though the engine could run them as one; absent where they do not. */
export const reasonAgainstOneFunction = (trainee: Trainee): string | undefined => functions.get(trainee)?.reason

/** What a trainee's functions depend on. */
export const stateOf = ({ whole }: Trainee, { loss, metrics }: Objective): unknown[] =>
  [loss, ...Object.values(metrics), ...leaves(whole).map(layer => layer.trainable)]

/** The functions that a trainee's steps are run as. */
export function functionsOf(trainee: Trainee): Repeated {
  if (!functions.has(trainee)) functions.set(trainee, new Repeated())
  return functions.get(trainee)!
}

/** Calls the function that a step is; `null` where it cannot be one. */
export async function called(
  trainee: Trainee, feeds: Tensor[], step: Step & { done?(): void }, stopped?: () => boolean,
): Promise<Tensor | 'stopped' | null> {
  const written = functionsOf(trainee).functionFor(step, feeds)
  if (!written) return null
  try {
    const [all] = await written.call(feeds, stopped)
    step.done?.()
    return all
  } catch (error) {
    if (error instanceof Stopped) return 'stopped'
    throw error
  }
}
