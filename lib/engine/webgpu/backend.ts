import * as tf from '@tensorflow/tfjs'
import type { BackendValues, DataId } from '@tensorflow/tfjs-core'
import type { AdapterFacts } from './adapter.ts'
import type { Events } from './events.ts'
import { DeviceLost } from './lost.ts'
import { GuardedBuffers } from './memory.ts'
import type { StockBackend, StockClass, TensorData } from './stock.ts'

/** A device as Dawn opened it, with what is known of its adapter. */
export interface Opened { device: GPUDevice, info: GPUAdapterInfo, facts: AdapterFacts }

/** TensorFlow.js's WebGPU backend, completed. */
export interface WebGPUBackend extends StockBackend {
  readonly facts: AdapterFacts
  /** Why the device is gone, or nothing. */
  readonly gone: string | null
  /** Copies the values of all variables out of the GPU: what a lost device leaves. */
  secure(): Promise<void>
  /** Resolves once a device that was lost has been replaced, with the variables as {@link secure} found them. */
  renewed(): Promise<void>
}

/**
 * TensorFlow.js's backend with what Node and training want of it: values can be read at once, without a canvas; memory that is
 * not there is an error; what was uploaded keeps its copy here; and a device that is lost is replaced.
 *
 * @param first the device
 * @param open opens another, after each loss
 */
export function makeBackend(
  Stock: StockClass, events: Events, first: Opened, open: () => Promise<Opened>,
): WebGPUBackend {
  class Backend extends Stock implements WebGPUBackend {
    facts: AdapterFacts
    gone: string | null = null
    #buffers: GuardedBuffers
    #renewal: Promise<void> = Promise.resolve()
    /** Values of variables, by the variables' ids. */
    readonly #kept = new Map<number, BackendValues>()

    constructor(opened: Opened) {
      super(opened.device, opened.info)
      this.facts = opened.facts
      this.#buffers = this.#begin(opened)
    }

    #begin({ device, facts }: Opened): GuardedBuffers {
      this.facts = facts
      this.gone = null
      device.lost.then(({ reason, message }) => this.#lose(device, message || reason))
      return this.#buffers = new GuardedBuffers(this.bufferManager, device, facts, () => {
        if (!this.commandEncoder) return
        this.endComputePassEncoder()
        this.submitQueue()
      })
    }

    /** Notes that a device is gone, and has it replaced. */
    #lose(device: GPUDevice, reason: string): DeviceLost {
      if (device === this.device && this.gone === null) {
        this.gone = reason
        this.#renewal = this.#renew()
        // Who waits for it hears of it.
        this.#renewal.catch(() => {})
      }
      return new DeviceLost(reason)
    }

    async #renew(): Promise<void> {
      const opened = await open(), { device } = opened
      Object.assign(this, {
        device, queue: device.queue, pipelineCache: {}, commandEncoder: null, computePassEncoder: null, dispatchCountInPass: 0,
        commandQueueOwnedIds: new WeakSet(), uniformPendingDisposal: [], stagingPendingDisposal: [], querySet: null,
        queryResolveBuffer: null,
      })
      this.#begin(opened)
      for (const variable of Object.values(tf.engine().registeredVariables)) {
        const values = this.#kept.get(variable.id)
        if (values) tf.tidy(() => variable.assign(tf.tensor(values as Float32Array, variable.shape, variable.dtype)))
      }
    }

    renewed(): Promise<void> {
      return this.#renewal
    }

    async secure(): Promise<void> {
      const variables = Object.values(tf.engine().registeredVariables)
      const values = await Promise.all(variables.map(async ({ dataId }) => this.tensorMap.has(dataId) ? this.read(dataId) : null))
      this.#kept.clear()
      variables.forEach(({ id }, i) => { if (values[i]) this.#kept.set(id, values[i]) })
    }

    override uploadToGPU(dataId: DataId): void {
      if (this.gone) throw new DeviceLost(this.gone)
      const data = this.tensorMap.get(dataId), { values } = data
      if (this.#isLost(data)) {
        if (!values) throw new DeviceLost('a tensor was on it')
        data.resource = null
      }
      super.uploadToGPU(dataId)
      // The backend itself drops them.
      data.values = values
    }

    override releaseResource(dataId: DataId): void {
      const data = this.tensorMap.get(dataId)
      if (this.#isLost(data)) data.resource = null
      super.releaseResource(dataId)
    }

    #isLost({ resource }: TensorData): boolean {
      return Boolean(resource) && !this.#buffers.has(resource!)
    }

    override readSync(dataId: DataId): BackendValues {
      const data = this.tensorMap.get(dataId)
      if (data.values || data.dtype === 'string' || data.dtype === 'complex64') return super.readSync(dataId)
      const { device } = this, staging = this.#copyOf(data)
      staging.mapAsync(GPUMapMode.READ).catch(() => {})
      events.waitFor(() => staging.mapState !== 'pending')
      return this.#taken(data, device, staging)
    }

    override async read(dataId: DataId): Promise<BackendValues> {
      const data = this.tensorMap.get(dataId)
      if (data.values || data.dtype === 'string' || data.dtype === 'complex64') return super.read(dataId)
      const { device } = this, staging = this.#copyOf(data)
      await staging.mapAsync(GPUMapMode.READ).catch(() => {})
      return this.#taken(data, device, staging)
    }

    /** A copy of a tensor's bytes that can be looked at once it is mapped. */
    #copyOf(data: TensorData): GPUBuffer {
      if (this.gone) throw new DeviceLost(this.gone)
      if (this.#isLost(data)) throw new DeviceLost('a tensor was on it')
      const { size } = data.resource!, usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ
      const staging = this.#buffers.create({ size, usage })
      this.ensureCommandEncoderReady()
      this.endComputePassEncoder()
      this.commandEncoder!.copyBufferToBuffer(data.resource!, 0, staging, 0, size)
      this.submitQueue()
      return staging
    }

    #taken(data: TensorData, device: GPUDevice, staging: GPUBuffer): BackendValues {
      if (staging.mapState !== 'mapped') throw this.#lose(device, this.gone ?? 'it gives no answer')
      this.#buffers.check()
      const bytes = staging.getMappedRange().slice(0)
      staging.destroy()
      return data.values = tf.util.convertBackendValuesAndArrayBuffer(bytes, data.dtype)
    }
  }
  return new Backend(first)
}
