import { readFileSync } from 'node:fs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { GraftError } from '../../error.ts'

/** The address of a tensor, or of anything else, in the backend's memory. */
export type Address = number

type Kernel = (...args: number[]) => void

/** What kernels.wasm exports; see the .as.ts files for the arguments. */
export interface Module {
  convolution: Kernel
  convolutionFilterGradient: Kernel
  convolutionInputGradient: Kernel
  convolutionScratch(patch: number): number
  depthwiseFilterGradient: Kernel
  depthwiseInputGradient: Kernel
  depthwiseScratch(h: number, w: number, c: number, q: number): number
}

interface Emscripten {
  asm: { memory: WebAssembly.Memory, malloc(bytes: number): number, free(at: number): void }
  _malloc(bytes: number): number
}

const emscripten = (backend: BackendWasm) => backend.wasm as unknown as Emscripten

/** Our kernels, working inside the backend's own memory: tensors need not be copied. */
export function instantiate(backend: BackendWasm): Module {
  const code = new WebAssembly.Module(readFileSync(new URL('./kernels.wasm', import.meta.url)))
  return new WebAssembly.Instance(code, { env: { memory: emscripten(backend).asm.memory } }).exports as unknown as Module
}

/**
 * Makes an exhausted heap an error. The backend itself takes the null address that `malloc` then gives for a tensor's place, and
 * overwrites what lies there.
 */
export function guardHeap(backend: BackendWasm): void {
  const { asm } = emscripten(backend)
  emscripten(backend)._malloc = (bytes) => {
    const at = asm.malloc(bytes) >>> 0
    if (at === 0 && bytes > 0) throw outOfMemory(bytes)
    return at
  }
}

function outOfMemory(bytes: number): GraftError {
  return new GraftError(`out of memory: the WASM engine holds at most 4 GiB and has no room for ${Math.ceil(bytes / 2 ** 20)} MiB more.`
    + ' Use a smaller batch or image, or freeze more layers: what is frozen is computed outside it.')
}

/** Calls `work` with the address of `floats` floats of scratch memory, which are given back after it. */
export function withScratch(backend: BackendWasm, floats: number, work: (scratch: Address) => void): void {
  if (floats === 0) return work(0)
  const { asm } = emscripten(backend)
  const at = asm.malloc(floats * 4) >>> 0
  if (at === 0) throw outOfMemory(floats * 4)
  try {
    work(at)
  } finally {
    asm.free(at)
  }
}
