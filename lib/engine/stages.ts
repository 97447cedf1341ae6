import type { InferenceSession } from 'onnxruntime-node'
import { tf } from '../tf.ts'
import type { Edge, Graph, Step } from './graph.ts'
import { leaving, workOf } from './graph.ts'
import { emit, encode } from './onnx/emit.ts'
import { onnxRuntime, openSession } from './onnx/runtime.ts'
import { modelBetween } from './shared-model.ts'

/** The numbers of one or more tensors for some images, image after image. */
export type Arrays = Float32Array[]

/** A piece of arithmetic from edges to edges. */
export interface Stage {
  run(values: Arrays, count: number): Promise<Arrays>
  dispose(): Promise<void>
}

/** How some steps will be run. */
export interface Plan {
  stages: Stage[]
  /** In words, for the user. */
  engine: string
  /**
   * Images per run, so that a run blocks the event loop for tens of milliseconds only. The same number each time: so are the
   * bits.
   */
  atOnce: number
  /** Multiplications per image, of what is run in ONNX Runtime. */
  work: number
}

/** Multiplications per run: ONNX Runtime does so many in some 20 ms on two cores, WASM on one core in ten times that. */
const workAtOnce = 8e8

/** Plans how to compute `steps`, from the graph's only input to the edges `ends`: in ONNX Runtime as far as ONNX can say it. */
export function plan(graph: Graph, steps: Set<Step>, ends: Edge[]): Plan {
  const runtime = onnxRuntime(), emission = emit(graph, runtime.ort ? steps : [])
  const others = [...steps].filter((step) => !emission.written.has(step))
  const stages: Stage[] = [], notes: string[] = []
  let border = graph.inputs
  if (runtime.ort && emission.written.size > 0) {
    border = leaving(graph, emission.written, others, ends)
    stages.push(onnxStage(runtime.ort, encode(emission, graph.inputs, border), graph.inputs[0], border))
    notes.push(`ONNX Runtime ${runtime.version}`)
  }
  if (others.length > 0) {
    stages.push(layersStage(border, others, ends))
    notes.push(`TensorFlow.js (${runtime.ort ? emission.reasons.join('; ') : runtime.reason})`)
  }
  const work = workOf(emission.written), atOnce = Math.floor(workAtOnce / work)
  return { stages, work, engine: notes.join(', then '), atOnce: others.length > 0 ? 1 : Math.max(1, Math.min(32, atOnce)) }
}

function onnxStage(ort: typeof import('onnxruntime-node'), model: Uint8Array, { shape }: Edge, ends: Edge[]): Stage {
  let session: Promise<InferenceSession> | undefined
  return {
    async run([pixels], count) {
      session ??= openSession(ort, model)
      const results = await (await session).run({ input: new ort.Tensor('float32', pixels, [count, ...shape.slice(1) as number[]]) })
      return ends.map((_, i) => results[i === 0 ? 'output' : `output_${i}`].data as Float32Array)
    },
    async dispose() {
      await (await session)?.release()
      session = undefined
    },
  }
}

function layersStage(starts: Edge[], steps: Step[], ends: Edge[]): Stage {
  const model = modelBetween(starts, steps, ends, 'prefix')
  return {
    async run(values, count) {
      return tf.tidy(() => {
        const inputs = values.map((data, i) => tf.tensor(data, [count, ...starts[i].shape.slice(1) as number[]]))
        const outputs = model.predictOnBatch(inputs.length === 1 ? inputs[0] : inputs)
        return (Array.isArray(outputs) ? outputs : [outputs]).map((output) => output.dataSync() as Float32Array)
      })
    },
    async dispose() {},
  }
}
