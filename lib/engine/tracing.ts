import type { Tensor } from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { StandIns } from './stand-ins.ts'

/** Something that a step written down once cannot say: it is run operation by operation, and the reason is told. */
export class Untraceable extends Error {}

/** A step that was stopped from outside: nothing has changed. */
export class Stopped extends Error {}

/** What a step may ask of what it is being written into. */
export interface StepTrace {
  /** Where the step's random numbers come from, `int32[2]`; handed in anew with each call. */
  seed: TensorInfo | null
  /** Random numbers, other ones with each call: from 0 to 1, or of mean 0 and deviation 1. Nothing where the step has no seed. */
  draw(kind: 'Uniform' | 'Normal', shape: number[]): TensorInfo | null
  readonly standIns: StandIns
  /** An error that says what a step does that cannot be written down. */
  refusal(what: string): Untraceable
}

/**
 * Work on tensors that was written down once, to be called as often as wanted. A call changes all of the variables that the work
 * assigns to or, where it fails or is stopped, none.
 */
export interface StepFunction {
  /** Shapes and types of what a call gives. */
  readonly results: Pick<Tensor, 'shape' | 'dtype'>[]
  /** Calls it and waits for it: nothing else runs meanwhile. */
  callNow(feeds: Tensor[]): Tensor[]
  /**
   * Calls it after the calls before it; the event loop goes on turning.
   *
   * @param stopped is asked all along; the call ends soon after it says yes
   * @throws Stopped where it was stopped; no variable has changed then
   */
  call(feeds: Tensor[], stopped?: () => boolean): Promise<Tensor[]>
  /** Lets go of it. */
  dispose(): void
}

/** How steps are written down on the engine that is in use. */
export interface Tracer {
  /** What is being written, or nothing. */
  readonly current: StepTrace | null
  /**
   * Writes `work` down. It runs once, on tensors that hold no values; variables stay as they are.
   *
   * @throws Untraceable where the work looks at values on the way, draws random numbers on the host, or makes variables
   */
  write(feeds: Tensor[], work: (trace: StepTrace) => Tensor[]): StepFunction
  /** Gives tensors that were made by {@link promise} the values of others. */
  fulfil(promised: Tensor[], values: Tensor[]): void
  /** Tensors whose values come later. */
  promise(results: StepFunction['results']): Tensor[]
}
