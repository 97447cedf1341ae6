import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Held, TensorFlowBackend } from './backend.ts'
import { Flag } from './flag.ts'
import type { Pointer } from './library.ts'
import type { Handle } from './runtime.ts'
import { Trace, wasStopped } from './trace.ts'

/** Where an input of the function comes from at each call. */
type Source = { feed: number } | { variable: tf.Variable } | { constant: tf.Tensor } | { flag: Flag }

/** A call that was stopped from outside: nothing has changed. */
export class Stopped extends Error {}

let count = 0

/**
 * Work on tensors written down once as a function of TensorFlow and then called as often as wanted: what it computes from the given
 * tensors and from variables, and what it assigns to variables. A call changes all of those variables or, where it fails or is
 * stopped, none.
 */
export class Traced {
  readonly #backend: TensorFlowBackend
  readonly #name = `graft_step_${count++}`
  readonly #sources: Source[]
  /** Shapes and types of what a call gives. */
  readonly results: { shape: number[], dtype: tf.DataType }[]
  readonly #changed: tf.Variable[]
  readonly #flag: Flag

  /**
   * Writes `work` down. It runs once, on tensors that hold no values; variables stay as they are.
   *
   * @throws Untraceable where the work looks at values on the way, draws random numbers on the host, or makes variables
   */
  constructor(backend: TensorFlowBackend, feeds: tf.Tensor[], work: (trace: Trace) => tf.Tensor[]) {
    this.#backend = backend
    this.#flag = new Flag(backend)
    const variables = Object.values(tf.engine().registeredVariables).map(variable => new Pinned(backend, variable))
    const byValue = new Map(variables.map(pinned => [pinned.held, pinned]))
    const given = new Map<Held, number>(feeds.map((feed, i) => [backend.held(feed.dataId), i]))
    const trace = backend.trace = new Trace(backend), usual = Math.random
    Math.random = () => { throw trace.refusal('draws random numbers outside of the layers that are known to') }
    let results: tf.Tensor[] = []
    try {
      if (given.size < feeds.length || [...given.keys()].some(held => byValue.has(held))) throw trace.refusal('was given one tensor twice')
      trace.stopsAt(this.#flag.info)
      results = tf.tidy(() => work(trace))
      if (Object.keys(tf.engine().registeredVariables).length !== variables.length) throw trace.refusal('makes or disposes of variables')
      this.#changed = variables.filter(pinned => pinned.hasChanged).map(({ variable }) => variable)
      trace.finish(this.#name, [...results, ...this.#changed])
      this.results = results.map(({ shape, dtype }) => ({ shape, dtype }))
      this.#sources = trace.inputs.map(({ info, held }): Source => {
        const pinned = byValue.get(held)
        return given.has(held) ? { feed: given.get(held)! } : pinned ? { variable: pinned.variable }
          : info.dataId === this.#flag.info.dataId ? { flag: this.#flag } : { constant: tf.keep(tensorOf(info)) }
      })
      for (const [i, { info }] of trace.inputs.entries()) if (!('constant' in this.#sources[i])) this.#letGo(info)
    } catch (error) {
      for (const { info } of trace.inputs) this.#letGo(info)
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

  /** Calls the function and waits for it: nothing else runs meanwhile. */
  callNow(feeds: tf.Tensor[]): tf.Tensor[] {
    return this.#take(this.#backend.runtime.execute(this.#name, this.#inputs(feeds), {}, this.results.length + this.#changed.length))
  }

  /**
   * Calls the function on another thread, after the calls before it; the event loop goes on turning.
   *
   * @param stopped is asked all along; the call ends soon after it says yes
   * @throws Stopped where it was stopped; no variable has changed then
   */
  call(feeds: tf.Tensor[], stopped: () => boolean = () => false): Promise<tf.Tensor[]> {
    return this.#backend.inTurn(async () => {
      if (stopped()) throw new Stopped('stopped')
      const look = setInterval(() => { if (stopped()) this.#flag.raise() }, 20)
      try {
        return this.#take(await this.#backend.runtime.executeElsewhere(this.#name, this.#inputs(feeds), this.results.length + this.#changed.length))
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
    else tensorOf(info).dispose()
  }

  #inputs(feeds: tf.Tensor[]): Pointer[] {
    return this.#sources.map(source => this.#backend.pointer(
      'feed' in source ? feeds[source.feed] : 'variable' in source ? source.variable : 'constant' in source ? source.constant : source.flag.info))
  }

  /** The function's results as tensors; the variables get their new values. */
  #take(handles: Handle[]): tf.Tensor[] {
    const tensors = handles.map(handle => tensorOf(this.#backend.adopt(handle)))
    for (const [i, variable] of this.#changed.entries()) {
      if (!variable.isDisposed) variable.assign(tensors[this.results.length + i])
      tensors[this.results.length + i].dispose()
    }
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

interface Remains { backend: TensorFlowBackend, name: string, flag: Flag, constants: tf.Tensor[] }

const registry = new FinalizationRegistry<Remains>(remove)

function remove({ backend: { runtime }, name, flag, constants }: Remains): void {
  runtime.checked('TFE_ContextRemoveFunction', runtime.context, name)
  flag.dispose()
  tf.dispose(constants)
}

/** A variable's value, kept while a trace gives it others. */
class Pinned {
  readonly variable: tf.Variable
  readonly held: Held
  readonly #backend: TensorFlowBackend
  readonly #info: TensorInfo

  constructor(backend: TensorFlowBackend, variable: tf.Variable) {
    this.#backend = backend
    this.variable = variable
    this.#makeOwn()
    const { dataId, shape, dtype } = variable
    this.#info = { dataId, shape, dtype }
    this.held = backend.held(dataId)
    this.held.refs++
  }

  get hasChanged(): boolean {
    return this.variable.dataId !== this.#info.dataId
  }

  putBack(): void {
    const before = tensorOf(this.#info)
    if (this.hasChanged && !this.variable.isDisposed) this.variable.assign(before)
    before.dispose()
  }

  /** A variable that shares its values with another tensor gets them for itself, for the two may part later. */
  #makeOwn(): void {
    const { refs, pointer, shape, dtype } = this.#backend.held(this.variable.dataId)
    if (refs === 1 || !pointer) return
    const copy = tensorOf(this.#backend.adopt({ pointer: this.#backend.runtime.share(pointer), shape, dtype }))
    this.variable.assign(copy)
    copy.dispose()
  }
}

/** A tensor over values that have a reference to spare for it. */
const tensorOf = ({ dataId, shape, dtype }: TensorInfo): tf.Tensor => tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype })
