import { setImmediate } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { randomFrom } from '../../data/random.ts'
import { unbroken } from '../interrupts.ts'
import { assignAll, letGo, Pinned, tensorOf } from '../pinned.ts'
import { Stopped } from '../tracing.ts'
import type { StepFunction, StepTrace } from '../tracing.ts'
import type { DrySwitch } from './dry.ts'
import { Recording } from './recording.ts'
import type { Node, Place } from './recording.ts'

/** Where a value that is there before the first kernel comes from at each call. */
type Source = { slot: number } & ({ feed: number } | { variable: tf.Variable } | { constant: TensorInfo })

/** Others have their turn after so many milliseconds. */
const atOnce = 25

let turn: Promise<unknown> = Promise.resolve()

/**
 * A step as the list of kernels that it calls. They are called in the same order as without a list, so that the numbers are the
 * same to the last bit; between two of them others have their turn, and the step can be stopped. A value is given up after its
 * last use, while TensorFlow.js keeps all of them to the end of the step.
 */
export class Recorded implements StepFunction {
  readonly results: { shape: number[], dtype: tf.DataType }[]
  readonly #backend: BackendWasm
  readonly #nodes: Node[]
  readonly #ends: Place[]
  readonly #sources: Source[]
  readonly #changed: tf.Variable[]

  constructor(dry: DrySwitch, feeds: tf.Tensor[], work: (trace: StepTrace) => tf.Tensor[], recording: Recording) {
    const { backend } = dry, given = new Map(feeds.map((feed, i) => [feed.dataId, i])), usual = Math.random
    const variables = Pinned.all(({ dataId, shape, dtype }) => ({ dataId: backend.write(backend.readSync(dataId), shape, dtype), shape, dtype }))
    const byValue = new Map(variables.map(pinned => [pinned.dataId, pinned]))
    this.#backend = backend
    let results: tf.Tensor[] = []
    Math.random = () => { throw recording.refusal('draws random numbers outside of the layers that are known to') }
    try {
      if (given.size < feeds.length || feeds.some(({ dataId }) => byValue.has(dataId))) {
        throw recording.refusal('was given one tensor twice')
      }
      results = dry.listen(recording, () => tf.tidy(() => work(recording)))
      if (Object.keys(tf.engine().registeredVariables).length !== variables.length) {
        throw recording.refusal('makes or disposes of variables')
      }
      this.#changed = variables.filter(pinned => pinned.hasChanged).map(({ variable }) => variable)
      this.results = results.map(({ shape, dtype }) => ({ shape, dtype }))
      this.#ends = [...results, ...this.#changed].map(info => recording.place(info))
      recording.finish(this.#ends)
      this.#nodes = recording.nodes
      this.#sources = Array.from(recording.given, ([slot, info]): Source => {
        const feed = given.get(info.dataId), pinned = byValue.get(info.dataId)
        if (feed === undefined && !pinned) return { slot, constant: info }
        letGo(info)
        return feed !== undefined ? { slot, feed } : { slot, variable: pinned!.variable }
      })
    } catch (error) {
      recording.release()
      throw error
    } finally {
      Math.random = usual
      tf.dispose(results)
      for (const pinned of variables) pinned.putBack()
    }
    registry.register(this, this.#constants(), this)
  }

  callNow(feeds: tf.Tensor[]): tf.Tensor[] {
    const run = this.#begin(feeds)
    try {
      for (const node of this.#nodes) run.step(node)
      return this.#take(run)
    } finally {
      run.end()
    }
  }

  call(feeds: tf.Tensor[], stopped: () => boolean = () => false): Promise<tf.Tensor[]> {
    const mine = turn.then(() => this.#callInParts(feeds, stopped))
    turn = mine.catch(() => {})
    return mine
  }

  async #callInParts(feeds: tf.Tensor[], stopped: () => boolean): Promise<tf.Tensor[]> {
    if (stopped()) throw new Stopped('stopped')
    const run = this.#begin(feeds)
    try {
      for (let next = 0; next < this.#nodes.length;) {
        unbroken(tf, () => {
          const start = performance.now()
          while (next < this.#nodes.length && performance.now() - start < atOnce) run.step(this.#nodes[next++])
        })
        await setImmediate()
        if (stopped()) throw new Stopped('stopped')
      }
      return unbroken(tf, () => this.#take(run))
    } finally {
      run.end()
    }
  }

  #begin(feeds: tf.Tensor[]): Run {
    const run = new Run(this.#backend)
    for (const source of this.#sources) run.hold(source.slot, 'feed' in source ? feeds[source.feed] : 'variable' in source ? source.variable : source.constant)
    return run
  }

  #take(run: Run): tf.Tensor[] {
    const tensors = this.#ends.map(place => run.tensor(place))
    assignAll(this.#changed, tensors.slice(this.results.length))
    return tensors.slice(0, this.results.length)
  }

  #constants(): TensorInfo[] {
    return this.#sources.flatMap(source => 'constant' in source ? source.constant : [])
  }

  /** Frees its constants; also done when nobody refers to it any more. */
  dispose(): void {
    registry.unregister(this)
    this.#constants().forEach(letGo)
  }
}

const registry = new FinalizationRegistry<TensorInfo[]>(constants => constants.forEach(letGo))

/** One call on its way: the values that there are, by their places. */
class Run {
  readonly #backend: BackendWasm
  readonly #values = new Map<number, TensorInfo>()

  constructor(backend: BackendWasm) {
    this.#backend = backend
  }

  /** Takes part in a value that others have, so that it stays whatever they do. */
  hold(slot: number, { dataId, shape, dtype }: TensorInfo): void {
    this.#backend.incRef(dataId)
    this.#values.set(slot, { dataId, shape, dtype })
  }

  step({ kernel, attrs, inputs, outputs, draw, done }: Node): void {
    const value = ({ slot, shape, dtype }: Place): TensorInfo => ({ dataId: this.#values.get(slot)!.dataId, shape, dtype })
    const given = Array.isArray(inputs) ? inputs.map(value) : Object.fromEntries(Object.entries(inputs).map(([key, place]) => [key, value(place)]))
    const results = draw ? this.#draw((given as { seed: TensorInfo }).seed, outputs[0], draw)
      : tf.getKernel(kernel, 'wasm').kernelFunc({ inputs: given as tf.NamedTensorInfoMap, attrs, backend: this.#backend })
    for (const [i, info] of (Array.isArray(results) ? results : [results]).entries()) this.#values.set(outputs[i].slot, info)
    for (const slot of done) this.#drop(slot)
  }

  #draw(seed: TensorInfo, { shape }: Place, { kind, number }: { kind: 'Uniform' | 'Normal', number: number }): TensorInfo {
    const next = randomFrom(...Array.from(this.#backend.readSync(seed.dataId) as Int32Array), number)
    const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, kind === 'Uniform' ? next : normal)
    return { dataId: this.#backend.write(values, shape, 'float32'), shape, dtype: 'float32' }
  }

  /** A value as a tensor of its own. */
  tensor({ slot, shape, dtype }: Place): tf.Tensor {
    const { dataId } = this.#values.get(slot)!
    this.#backend.incRef(dataId)
    return tensorOf({ dataId, shape, dtype })
  }

  #drop(slot: number): void {
    const value = this.#values.get(slot)
    if (value && this.#values.delete(slot)) this.#backend.disposeData(value.dataId)
  }

  end(): void {
    for (const slot of [...this.#values.keys()]) this.#drop(slot)
  }
}
