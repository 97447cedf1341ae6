import type { Graph } from './graph.ts'
import { emit, encode } from './onnx/emit.ts'
import { onnxRuntime, openSessionNow } from './onnx/runtime.ts'
import type { SessionNow } from './onnx/runtime.ts'

/** Some numbers with their shape. */
export interface Values { data: Float32Array, shape: number[] }

/** A whole model in ONNX Runtime, with the weights that it had when it was written: it answers at once, and learns nothing. */
export class Answers {
  readonly #inputs: string[]
  readonly #outputs: string[]
  #session: SessionNow | null

  private constructor(session: SessionNow, { inputs, outputs }: Graph) {
    const named = (name: string) => (_: unknown, i: number) => i === 0 ? name : `${name}_${i}`
    this.#inputs = inputs.map(named('input'))
    this.#outputs = outputs.map(named('output'))
    this.#session = session
  }

  /** Opens a model; a text says why it cannot be. */
  static of(graph: Graph): Answers | string {
    const runtime = onnxRuntime()
    if (!runtime.ort) return runtime.reason
    const emission = emit(graph)
    if (emission.reasons.length > 0) return emission.reasons.join('; ')
    const session = openSessionNow(encode(emission, graph.inputs, graph.outputs))
    return session ? new Answers(session, graph) : `ONNX Runtime ${runtime.version} is not known here`
  }

  /** The outputs for some examples, of which the inputs hold the same number. */
  run(inputs: Values[]): Values[] {
    const { Tensor } = (onnxRuntime() as { ort: typeof import('onnxruntime-node') }).ort
    const feeds = inputs.map(({ data, shape }, i) => [this.#inputs[i], new Tensor('float32', data, shape)])
    const results = this.#session!.run(Object.fromEntries(feeds), this.#outputs)
    return this.#outputs.map(name => ({ data: results[name].data as Float32Array, shape: [...results[name].dims] }))
  }

  /** Whether its memory was given back. */
  get released(): boolean {
    return this.#session === null
  }

  /** Gives its memory back; it answers no more. */
  release(): void {
    this.#session?.release()
    this.#session = null
  }
}
