import { emit, encode } from '../../lib/engine/onnx/emit.ts'
import { graphOf } from '../../lib/engine/graph.ts'
import { onnxRuntime } from '../../lib/engine/onnx/runtime.ts'
import { mobileNetV2 } from '../train/mobilenet.ts'

type Times = [name: string, took: number | string][]

/**
 * Milliseconds of a frozen trunk's forward pass in ONNX Runtime, on the processor and by its own WebGPU; a text says why there are
 * none.
 */
export async function forwards(side: number, batch: number, rounds: number): Promise<Times> {
  const runtime = onnxRuntime()
  if (!runtime.ort) return [['ONNX Runtime', runtime.reason]]
  const { ort } = runtime, graph = graphOf(mobileNetV2(side)), bytes = encode(emit(graph), graph.inputs, graph.outputs)
  const pixels = Float32Array.from({ length: batch * side * side * 3 }, Math.random)
  const input = new ort.Tensor('float32', pixels, [batch, side, side, 3]), results: Times = []
  for (const provider of ['cpu', 'webgpu']) {
    try {
      const session = await ort.InferenceSession.create(bytes, { executionProviders: [provider], logSeverityLevel: 4 })
      const times: number[] = []
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
