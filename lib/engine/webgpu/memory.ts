import { GraftError } from '../../error.ts'
import { OutOfMemory } from '../out-of-memory.ts'
import type { AdapterFacts } from './adapter.ts'
import type { BufferManager } from './stock.ts'

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`

/**
 * The GPU's memory, watched: a tensor that is larger than the card binds to a program, or that it has no room for, is an error
 * before anything is computed with it. TensorFlow.js itself would go on with buffers that hold nothing.
 */
export class GuardedBuffers {
  readonly #own = new WeakSet<GPUBuffer>()
  #fault: GPUError | null = null
  /** Makes a buffer; those that wait to be used again are given back where there is no room otherwise. */
  readonly create: (descriptor: GPUBufferDescriptor) => GPUBuffer

  /** @param flush hands on what has not been handed to the GPU yet, so that what was only waiting for it is given back */
  constructor(manager: BufferManager, device: GPUDevice, { name }: AdapterFacts, flush: () => void) {
    const { limits } = device, most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize)
    // Dawn tells of what went wrong before the call returns.
    device.addEventListener('uncapturederror', event => {
      event.preventDefault()
      this.#fault ??= event.error
    })
    const plainly = (descriptor: GPUBufferDescriptor): GPUBuffer => {
      const buffer = device.createBuffer(descriptor), fault = this.#fault
      if (!(fault instanceof GPUOutOfMemoryError)) return buffer
      this.#fault = null
      throw new OutOfMemory(`out of memory: ${name} has no room for ${mebibytes(descriptor.size)} more. ${remedy}`)
    }
    this.create = descriptor => {
      try {
        return plainly(descriptor)
      } catch (error) {
        flush()
        if (!(error instanceof OutOfMemory) || giveBack(manager) === 0) throw error
        return plainly(descriptor)
      }
    }
    const createBuffer = (descriptor: GPUBufferDescriptor) => {
      if (descriptor.size > most) {
        throw new OutOfMemory(`out of memory: ${name} takes tensors of ${mebibytes(most)} at most, `
          + `not ${mebibytes(descriptor.size)}. ${remedy}`)
      }
      const buffer = this.create(descriptor)
      this.#own.add(buffer)
      return buffer
    }
    Object.assign(manager, {
      device: { createBuffer }, freeBuffers: new Map(), usedBuffers: new Map(),
      numBytesUsed: 0, numBytesAllocated: 0, numUsedBuffers: 0, numFreeBuffers: 0,
    })
  }

  /** Whether a buffer is of this device. */
  has(buffer: GPUBuffer): boolean {
    return this.#own.has(buffer)
  }

  /** @throws GraftError where something that was computed since the last call is not what it should be */
  check(): void {
    const fault = this.#fault
    this.#fault = null
    if (fault) throw new GraftError(`the GPU refused a computation: ${fault.message.split('\n')[0]}`)
  }
}

const remedy = 'Use a smaller batch or image, or freeze more layers: what is frozen is computed outside it.'

/** Destroys the buffers that nobody uses; returns their bytes. */
function giveBack(manager: BufferManager): number {
  let bytes = 0
  for (const buffers of manager.freeBuffers.values()) {
    for (const buffer of buffers.splice(0)) {
      bytes += buffer.size
      buffer.destroy()
    }
  }
  manager.numBytesAllocated -= bytes
  manager.numFreeBuffers = 0
  return bytes
}
