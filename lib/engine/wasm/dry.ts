import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { BackendValues, DataId, TensorInfo } from '@tensorflow/tfjs-core'

/** What a recording is told while kernels only say what shapes they would give. */
export interface Listener {
  /** A kernel was called. */
  kernel(name: string, call: KernelCall, results: TensorInfo[]): void
  /** Values came from the program; an answer takes their place. */
  values(values: BackendValues, shape: number[], dtype: tf.DataType): TensorInfo | undefined
  /** The program wants to see values. */
  read(): never
}

/** A kernel's inputs and attributes. */
export interface KernelCall { inputs: Record<string, TensorInfo>, attrs: tf.NamedAttrMap }

type Compiled = (...values: unknown[]) => unknown

interface Emscripten { cwrap(...signature: unknown[]): Compiled }

/**
 * The WASM backend with a switch: while somebody listens, kernels allocate their results and compute nothing, so that a whole
 * training step can be written down in the time that its calls take.
 */
export class DrySwitch {
  readonly backend: BackendWasm
  #listener: Listener | null = null
  /** Values that came from the program while somebody listened: they are what they are, and may be looked at. */
  readonly #known = new WeakSet<DataId>()
  #depth = 0

  /** To be made before the backend's kernels are set up. */
  constructor(backend: BackendWasm) {
    this.backend = backend
    const wasm = backend.wasm as unknown as Emscripten, { cwrap } = wasm
    wasm.cwrap = (...signature) => this.muted(cwrap.apply(wasm, signature))
    const { write, readSync } = backend
    backend.write = (values: BackendValues, shape: number[], dtype: tf.DataType) => {
      const other = this.#listener && values && this.#depth === 0 ? this.#listener.values(values, shape, dtype) : undefined
      if (other) return other.dataId
      const dataId = write.call(backend, values, shape, dtype)
      if (this.#listener && this.#depth === 0) this.#known.add(dataId)
      return dataId
    }
    // A kernel that looks at values, such as indices, sees zeros: they are in bounds.
    backend.readSync = (dataId: DataId, start?: number, end?: number) => {
      if (!this.#listener || (this.#depth === 0 && this.#known.has(dataId))) return readSync.call(backend, dataId, start, end)
      if (this.#depth === 0) return this.#listener.read()
      return (readSync.call(backend, dataId, start, end) as Float32Array).fill(0)
    }
  }

  /** A compiled function that does nothing while somebody listens. */
  muted<F extends Compiled>(compiled: F): F {
    return ((...values) => this.#listener ? undefined : compiled(...values)) as F
  }

  /** Lets each kernel of the backend tell of its calls; those within a kernel are part of it. */
  attach(): void {
    for (const config of tf.getKernelsForBackend('wasm')) {
      const { kernelName, kernelFunc } = config
      tf.unregisterKernel(kernelName, 'wasm')
      tf.registerKernel({
        ...config,
        kernelFunc: call => {
          if (!this.#listener) return kernelFunc(call)
          this.#depth++
          try {
            const results = kernelFunc(call)
            if (this.#depth === 1) this.#listener.kernel(kernelName, call as unknown as KernelCall, Array.isArray(results) ? results : [results])
            return results
          } finally {
            this.#depth--
          }
        },
      })
    }
  }

  /** Runs work in which kernels compute nothing. */
  listen<R>(listener: Listener, work: () => R): R {
    this.#listener = listener
    try {
      return work()
    } finally {
      this.#listener = null
    }
  }

  /** Works outside of the listening that goes on. */
  aside<R>(work: () => R): R {
    this.#depth++
    try {
      return work()
    } finally {
      this.#depth--
    }
  }
}
