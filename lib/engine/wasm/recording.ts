import * as tf from '@tensorflow/tfjs'
import type { BackendValues, DataId, TensorInfo } from '@tensorflow/tfjs-core'
import { letGo } from '../pinned.ts'
import { StandIns } from '../stand-ins.ts'
import { Untraceable } from '../tracing.ts'
import type { StepTrace } from '../tracing.ts'
import type { DrySwitch, KernelCall, Listener } from './dry.ts'

/** A value at its place among all of a step's; the shape is that of this use. */
export interface Place { slot: number, shape: number[], dtype: tf.DataType }

/** One kernel's call, or numbers that are drawn anew at each call. */
export interface Node {
  kernel: string
  attrs: tf.NamedAttrMap
  /** By name, or in order. */
  inputs: Record<string, Place> | Place[]
  outputs: Place[]
  draw?: { kind: 'Uniform' | 'Normal', number: number }
  /** Places whose values are not needed after it. */
  done: number[]
}

/** Kernels whose results' shapes depend on values, which a dry run does not have. */
const unforeseeable = /^(NonMaxSuppression|Sparse|String|Static|Unique|Ragged|Where)/

/** Writes down the kernels that a step calls, while they compute nothing. */
export class Recording implements StepTrace, Listener {
  seed: TensorInfo | null = null
  readonly nodes: Node[] = []
  /** Values that were there before, or that the program gave: by their places. */
  readonly given = new Map<number, TensorInfo>()
  readonly #switch: DrySwitch
  readonly #slots = new Map<DataId, number>()
  readonly standIns = new StandIns()
  #count = 0
  #draws = 0

  constructor(dry: DrySwitch) {
    this.#switch = dry
  }

  kernel(kernel: string, { inputs, attrs }: KernelCall, results: TensorInfo[]): void {
    if (unforeseeable.test(kernel)) throw this.refusal(`uses the operation ${kernel}`)
    // Another name or shape for the same values.
    const fresh = results.filter(({ dataId }) => !this.#slots.has(dataId) && !Object.values(inputs).some(input => input?.dataId === dataId))
    if (fresh.length === 0) return
    const places = Array.isArray(inputs) ? inputs.map((info: TensorInfo) => this.place(info))
      : Object.fromEntries(Object.entries(inputs).filter(([, info]) => info).map(([key, info]) => [key, this.place(info)]))
    this.nodes.push({ kernel, attrs, inputs: places, outputs: results.map(info => this.#made(info)), done: [] })
  }

  values(values: BackendValues, shape: number[], dtype: tf.DataType): TensorInfo | undefined {
    const number = (values as Float32Array | null)?.[0]
    const scalar = shape.length === 0 && number !== undefined ? this.standIns.meet(number) : undefined
    if (scalar) {
      if (number! < 0) return tf.getKernel('Neg', 'wasm').kernelFunc({ inputs: { x: scalar }, attrs: {}, backend: this.#switch.backend }) as TensorInfo
      tf.backend().incRef(scalar.dataId)
      return scalar
    }
    // The program's own values become part of the recording at their first use.
    return undefined
  }

  read(): never {
    throw this.refusal('reads values on the way')
  }

  draw(kind: 'Uniform' | 'Normal', shape: number[]): TensorInfo | null {
    if (!this.seed) return null
    const { backend } = this.#switch, info = this.#switch.aside(() => backend.makeOutput(shape, 'float32'))
    this.nodes.push({ kernel: 'draw', attrs: {}, inputs: { seed: this.place(this.seed) }, outputs: [this.#made(info)], draw: { kind, number: this.#draws++ }, done: [] })
    return info
  }

  refusal(what: string): Untraceable {
    return new Untraceable(`the step ${what}`)
  }

  /** Where a value is; one that no node makes was there before, and is held. */
  place({ dataId, shape, dtype }: TensorInfo): Place {
    let slot = this.#slots.get(dataId)
    if (slot === undefined) {
      slot = this.#count++
      this.#slots.set(dataId, slot)
      tf.backend().incRef(dataId)
      this.given.set(slot, { dataId, shape, dtype })
    }
    return { slot, shape, dtype }
  }

  #made({ dataId, shape, dtype }: TensorInfo): Place {
    const slot = this.#slots.get(dataId) ?? this.#count++
    this.#slots.set(dataId, slot)
    return { slot, shape, dtype }
  }

  /** Drops what the results do not need, and notes after which node each value is. */
  finish(results: Place[]): void {
    const wanted = new Set(results.map(({ slot }) => slot)), kept: Node[] = []
    const held = new Set([...wanted, ...this.given.keys()])
    for (const node of this.nodes.toReversed()) {
      if (!node.outputs.some(({ slot }) => wanted.has(slot))) continue
      const used = [...Object.values(node.inputs), ...node.outputs].map(({ slot }) => slot)
      node.done = [...new Set(used)].filter(slot => !held.has(slot))
      for (const slot of node.done) held.add(slot)
      for (const { slot } of Object.values(node.inputs)) wanted.add(slot)
      kept.push(node)
    }
    this.nodes.splice(0, Infinity, ...kept.reverse())
  }

  /** Lets go of what it holds. */
  release(): void {
    for (const info of this.given.values()) letGo(info)
  }
}
