import { emit, encode } from '../../lib/engine/onnx/emit.ts'
import { graphOf } from '../../lib/engine/graph.ts'
import { onnxRuntime } from '../../lib/engine/onnx/runtime.ts'
import { mobileNetV2 } from '../train/mobilenet.ts'

/** Milliseconds of a frozen trunk's forward pass in ONNX Runtime, on the processor and by its own WebGPU; a text says why there are none. */
export async function forwards(side: number, batch: number, rounds: number): Promise<[name: string, took: number | string][]> {
  const runtime = onnxRuntime()
  if (!runtime.ort) return [['ONNX Runtime', runtime.reason]]
  const { ort } = runtime, model = mobileNetV2(side), graph = graphOf(model), bytes = encode(emit(graph), graph.inputs, graph.outputs)
  const input = new ort.Tensor('float32', Float32Array.from({ length: batch * side * side * 3 }, Math.random), [batch, side, side, 3])
  const results: [string, number | string][] = []
  for (const provider of ['cpu', 'webgpu']) {
    try {
      const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider], logSeverityLevel: 4 }), times: number[] = []
      for (let round = -2; round < rounds; round++) {
        const start = performance.now()
        await session.run({ input })
        if (round >= 0) times.push(performance.now() - start)
      }
      await session.release()
      results.push([`ONNX Runtime, ${provider}`, times.sort((a, b) => a - b)[rounds >> 1]])
    } catch (error) {
      results.push([`ONNX Runtime, ${provider}`, (error as Error).message.split('\n')[0]])
    }
  }
  return results
}
