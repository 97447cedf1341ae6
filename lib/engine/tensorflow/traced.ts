import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { unbroken } from '../interrupts.ts'
import { assignAll, letGo, Pinned, tensorOf } from '../pinned.ts'
import { Stopped } from '../tracing.ts'
import type { StepFunction, StepTrace } from '../tracing.ts'
import type { TensorFlowBackend } from './backend.ts'
import { Flag } from './flag.ts'
import type { Pointer } from './library.ts'
import type { Handle } from './runtime.ts'
import { Trace, wasStopped } from './trace.ts'

/** Where an input of the function comes from at each call. */
type Source = { feed: number } | { variable: tf.Variable } | { constant: TensorInfo } | { flag: Flag }

let count = 0

/** A step as one function of TensorFlow. */
export class Traced implements StepFunction {
  readonly #backend: TensorFlowBackend
  readonly #name = `graft_step_${count++}`
  readonly #sources: Source[]
  readonly results: { shape: number[], dtype: tf.DataType }[]
  readonly #changed: tf.Variable[]
  readonly #flag: Flag

  constructor(backend: TensorFlowBackend, feeds: tf.Tensor[], work: (trace: StepTrace) => tf.Tensor[]) {
    this.#backend = backend
    this.#flag = new Flag(backend)
    const variables = Pinned.all(({ dataId }) => backend.copyOf(dataId))
    const byValue = new Map(variables.map(pinned => [pinned.dataId, pinned]))
    const given = new Map(feeds.map((feed, i) => [feed.dataId, i]))
    const trace = backend.trace = new Trace(backend), usual = Math.random
    Math.random = () => { throw trace.refusal('draws random numbers outside of the layers that are known to') }
    let results: tf.Tensor[] = []
    try {
      if (given.size < feeds.length || feeds.some(({ dataId }) => byValue.has(dataId))) {
        throw trace.refusal('was given one tensor twice')
      }
      trace.stopsAt(this.#flag.info)
      results = tf.tidy(() => work(trace))
      if (Object.keys(tf.engine().registeredVariables).length !== variables.length) {
        throw trace.refusal('makes or disposes of variables')
      }
      this.#changed = variables.filter(pinned => pinned.hasChanged).map(({ variable }) => variable)
      trace.finish(this.#name, [...results, ...this.#changed])
      this.results = results.map(({ shape, dtype }) => ({ shape, dtype }))
      this.#sources = trace.inputs.map((info): Source => {
        const feed = given.get(info.dataId), pinned = byValue.get(info.dataId)
        return feed !== undefined ? { feed } : pinned ? { variable: pinned.variable }
          : info.dataId === this.#flag.info.dataId ? { flag: this.#flag } : { constant: info }
      })
      for (const [i, info] of trace.inputs.entries()) if (!('constant' in this.#sources[i])) this.#letGo(info)
    } catch (error) {
      for (const info of trace.inputs) this.#letGo(info)
      this.#flag.dispose()
      throw error
    } finally {
      backend.trace = null
      Math.random = usual
      tf.dispose(results)
      for (const pinned of variables) pinned.putBack()
      trace.dispose()
    }
    registry.register(this, this.#remains(), this)
  }

  callNow(feeds: tf.Tensor[]): tf.Tensor[] {
    return this.#take(this.#backend.runtime.execute(this.#name, this.#inputs(feeds), {}, this.results.length + this.#changed.length))
  }

  /** The call runs on another thread. */
  call(feeds: tf.Tensor[], stopped: () => boolean = () => false): Promise<tf.Tensor[]> {
    return this.#backend.inTurn(async () => {
      if (stopped()) throw new Stopped('stopped')
      const look = setInterval(() => { if (stopped()) this.#flag.raise() }, 20)
      try {
        const handles = await this.#backend.runtime.executeElsewhere(this.#name, this.#inputs(feeds), this.results.length + this.#changed.length)
        return unbroken(tf, () => this.#take(handles))
      } catch (error) {
        throw wasStopped(error) ? new Stopped('stopped') : error
      } finally {
        clearInterval(look)
        this.#flag.lower()
      }
    })
  }

  /** Gives back the reference that the trace took. */
  #letGo(info: TensorInfo): void {
    if (info.dataId === this.#flag.info.dataId) this.#backend.disposeData(info.dataId)
    else letGo(info)
  }

  #inputs(feeds: tf.Tensor[]): Pointer[] {
    return this.#sources.map(source => this.#backend.pointer(
      'feed' in source ? feeds[source.feed] : 'variable' in source ? source.variable : 'constant' in source ? source.constant : source.flag.info))
  }

  /** The function's results as tensors; the variables get their new values. */
  #take(handles: Handle[]): tf.Tensor[] {
    const tensors = handles.map(handle => tensorOf(this.#backend.adopt(handle)))
    assignAll(this.#changed, tensors.slice(this.results.length))
    return tensors.slice(0, this.results.length)
  }

  #remains(): Remains {
    return { backend: this.#backend, name: this.#name, flag: this.#flag, constants: this.#sources.flatMap(source => 'constant' in source ? source.constant : []) }
  }

  /** Takes the function out of TensorFlow; also done when nobody refers to it any more. */
  dispose(): void {
    registry.unregister(this)
    remove(this.#remains())
  }
}

interface Remains { backend: TensorFlowBackend, name: string, flag: Flag, constants: TensorInfo[] }

const registry = new FinalizationRegistry<Remains>(remove)

function remove({ backend: { runtime }, name, flag, constants }: Remains): void {
  runtime.checked('TFE_ContextRemoveFunction', runtime.context, name)
  flag.dispose()
  constants.forEach(letGo)
}
