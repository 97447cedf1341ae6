import { readFileSync } from 'node:fs'
import type * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { OutOfMemory } from '../out-of-memory.ts'

/** The address of a tensor, or of anything else, in the backend's memory, in bytes. */
type Address = number

/** A kernel as TensorFlow.js calls it, and such kernels by name. */
export type Kernel = (inputs: Record<string, tf.TensorInfo>, attributes: tf.NamedAttrMap) => tf.TensorInfo | tf.TensorInfo[]
export type Kernels = Record<string, Kernel>

type Compute = (...numbers: number[]) => void

/** What kernels.wasm exports; the .as.ts files say what the arguments are. */
export interface Module {
  convolutionFilterGradient: Compute
  convolutionInputGradient: Compute
  convolutionScratch(patch: number): number
  depthwiseFilterGradient: Compute
  depthwiseInputGradient: Compute
  depthwiseScratch(h: number, w: number, c: number, q: number): number
  maxPoolGradient: Compute
  normalize: Compute
  normalizeGradient: Compute
  normalizationScratch(channels: number): number
  clipGradient: Compute
  copyRows: Compute
  sumRows: Compute
}

interface Emscripten {
  asm: { memory: WebAssembly.Memory, malloc(bytes: number): Address, free(at: Address): void }
  _malloc(bytes: number): Address
}

const emscripten = (backend: BackendWasm) => backend.wasm as unknown as Emscripten

type Compiled = (...values: unknown[]) => unknown

/** Our kernels, working inside the backend's own memory: tensors need not be copied. `wrap` is put around each that computes. */
export function instantiate(backend: BackendWasm, wrap: <F extends Compiled>(compute: F) => F = compute => compute): Module {
  const code = new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)))
  const { exports } = new WebAssembly.Instance(code, { env: { memory: emscripten(backend).asm.memory } })
  const wrapped = Object.entries(exports).map(([name, value]) =>
    [name, typeof value !== 'function' || name.endsWith('Scratch') ? value : wrap(value as Compiled)])
  return Object.fromEntries(wrapped) as Module
}

export const addressOf = (backend: BackendWasm, tensor: tf.TensorInfo): Address =>
  backend.dataIdMap.get(tensor.dataId).memoryOffset

/** A tensor's numbers where they lie: to be looked at now, for later they may lie elsewhere. */
export const floatsOf = (backend: BackendWasm, tensor: tf.Tensor): Float32Array =>
  new Float32Array(emscripten(backend).asm.memory.buffer, addressOf(backend, tensor), tensor.size)

/**
 * Makes an exhausted heap an error. The backend itself takes the null address that `malloc` then gives for a tensor's place, and
 * overwrites what lies there.
 */
export function guardHeap(backend: BackendWasm): void {
  emscripten(backend)._malloc = (bytes) => allocate(backend, bytes)
}

/** Calls `work` with the address of `floats` floats of scratch memory, which are given back after it. */
export function withScratch(backend: BackendWasm, floats: number, work: (scratch: Address) => void): void {
  const at = allocate(backend, floats * 4)
  try {
    work(at)
  } finally {
    emscripten(backend).asm.free(at)
  }
}

function allocate(backend: BackendWasm, bytes: number): Address {
  const at = bytes < 2 ** 32 ? emscripten(backend).asm.malloc(bytes) >>> 0 : 0
  if (at === 0 && bytes > 0) {
    throw new OutOfMemory('out of memory: the WASM engine holds at most 4 GiB and has no room for '
      + `${Math.ceil(bytes / 2 ** 20)} MiB more. Use a smaller batch or image, or freeze more layers: what is frozen is computed `
      + 'outside it.')
  }
  return at
}
