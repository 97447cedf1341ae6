import type { LayersModel } from '@tensorflow/tfjs'
export interface FrozenPrefix { hash: string, frontier: string[], shapes: (number | null)[][], rest: LayersModel, forwards: number
  run(pixels: Float32Array, count: number): Promise<Float32Array[]>, dispose(): void }
export const frozenPrefix = (_: LayersModel): FrozenPrefix | null => null
