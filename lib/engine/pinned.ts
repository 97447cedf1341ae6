import * as tf from '@tensorflow/tfjs'
import type { DataId, TensorInfo } from '@tensorflow/tfjs-core'

/** A variable's values, kept while the work that changes them is written down on tensors without values. */
export class Pinned {
  readonly variable: tf.Variable
  readonly #info: TensorInfo

  /** Pins every variable there is; `copy` makes values of their own for one that shares them, for the two may part later. */
  static all(copy: (info: TensorInfo) => TensorInfo): Pinned[] {
    return Object.values(tf.engine().registeredVariables).map(variable => new Pinned(variable, copy))
  }

  constructor(variable: tf.Variable, copy: (info: TensorInfo) => TensorInfo) {
    this.variable = variable
    if (tf.backend().refCount(variable.dataId) > 1) {
      const own = tensorOf(copy(variable))
      variable.assign(own)
      own.dispose()
    }
    const { dataId, shape, dtype } = variable
    this.#info = { dataId, shape, dtype }
    tf.backend().incRef(dataId)
  }

  get dataId(): DataId {
    return this.#info.dataId
  }

  get hasChanged(): boolean {
    return this.variable.dataId !== this.#info.dataId
  }

  putBack(): void {
    const before = tensorOf(this.#info)
    if (this.hasChanged && !this.variable.isDisposed) this.variable.assign(before)
    before.dispose()
  }
}

/** A tensor over values that have a reference to spare for it. */
export const tensorOf = ({ dataId, shape, dtype }: TensorInfo): tf.Tensor =>
  tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype })

/** Gives back a reference to values; the last one frees them. */
export const letGo = (info: TensorInfo): void => tensorOf(info).dispose()

/** Assigns new values to variables, those that were disposed of meanwhile left out. */
export function assignAll(variables: tf.Variable[], values: tf.Tensor[]): void {
  for (const [i, variable] of variables.entries()) {
    if (!variable.isDisposed) variable.assign(values[i])
    values[i].dispose()
  }
}
