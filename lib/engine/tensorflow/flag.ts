import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { TensorFlowBackend } from './backend.ts'
import type { Pointer } from './library.ts'
import { view } from './library.ts'

/** A scalar in TensorFlow's memory that can be changed while a function reads it: 0, or not a number. */
export class Flag {
  readonly info: TensorInfo
  readonly #backend: TensorFlowBackend
  readonly #tensor: Pointer
  readonly #value: Float32Array

  constructor(backend: TensorFlowBackend) {
    const { runtime } = backend
    this.#backend = backend
    this.#tensor = runtime.allocate(4, [], 'float32', memory => memory.fill(0))
    this.#value = new Float32Array(view(runtime.library.TF_TensorData(this.#tensor), 4))
    this.info = backend.adopt({ pointer: runtime.checked<Pointer>('TFE_NewTensorHandle', this.#tensor), shape: [], dtype: 'float32' })
  }

  raise(): void { this.#value[0] = NaN }
  lower(): void { this.#value[0] = 0 }

  dispose(): void {
    this.#backend.disposeData(this.info.dataId)
    this.#backend.runtime.library.TF_DeleteTensor(this.#tensor)
  }
}
