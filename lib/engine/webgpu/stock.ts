import type { BackendValues, DataId, DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'

/** What TensorFlow.js's WebGPU backend knows of a tensor: its values here, or a buffer of the GPU, or both. */
export interface TensorData {
  values: BackendValues | null
  dtype: DataType
  shape: number[]
  refCount: number
  resource?: GPUBuffer | null
}

/** Numbers that a program is given beside its tensors, in the order in which it declares them. */
export type Uniforms = { type: 'int32' | 'float32', data: number[] }[]

/** A compute shader as TensorFlow.js's WebGPU backend takes it; the shape of each input is part of what it compiles. */
export interface Program {
  variableNames: string[]
  outputShape: number[]
  /** WGSL declarations of the {@link Uniforms}, e.g. `stride : vec2<i32>,`. */
  uniforms?: string
  workgroupSize: [number, number, number]
  dispatchLayout: { x: number[], y?: number[], z?: number[] }
  dispatch: [number, number, number]
  /** Programs of one key are compiled once. */
  shaderKey: string
  /** Whether `uniforms.size`, the number of results, is wanted. */
  size?: boolean
  getUserCode(): string
}

/** TensorFlow.js's pool of buffers. */
export interface BufferManager {
  device: { createBuffer(descriptor: GPUBufferDescriptor): GPUBuffer }
  freeBuffers: Map<string, GPUBuffer[]>
  numBytesUsed: number
  numBytesAllocated: number
  numFreeBuffers: number
  acquireBuffer(size: number, usage: number, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer
}

/** The parts of TensorFlow.js's WebGPU backend (4.22) that are of use here. */
export interface StockBackend extends KernelBackend {
  device: GPUDevice
  queue: GPUQueue
  tensorMap: { get(dataId: DataId): TensorData, has(dataId: DataId): boolean }
  bufferManager: BufferManager
  commandEncoder: GPUCommandEncoder | null
  pipelineCache: Record<string, unknown>
  ensureCommandEncoderReady(): void
  endComputePassEncoder(): void
  submitQueue(): void
  uploadToGPU(dataId: DataId): void
  releaseResource(dataId: DataId): void
  makeTensorInfo(shape: number[], dtype: DataType, values?: BackendValues): TensorInfo
  runWebGPUProgram(program: Program, inputs: TensorInfo[], dtype: DataType, uniforms?: Uniforms): TensorInfo
}

export type StockClass = new (device: GPUDevice, info: GPUAdapterInfo) => StockBackend
