import * as tf from '@tensorflow/tfjs'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { WebGPUBackend } from './backend.ts'
import type { Program, Uniforms } from './stock.ts'

/** Whole numbers by name; a list is a vector of WGSL. */
export type Numbers = Record<string, number | number[]>

/** WGSL that computes results one by one, or more freely. */
export interface Work {
  /** Names the program among all: its text may depend on nothing else but the inputs' ranks. */
  key: string
  inputs: Record<string, TensorInfo>
  /** The result's shape. */
  shape: number[]
  /** Whole numbers that `uniforms` holds. */
  numbers?: Numbers
  /** Floats that `uniforms` holds. */
  floats?: Record<string, number>
  /** Whether the results are whole numbers. */
  whole?: boolean
}

/** The declarations of what `uniforms` holds, and its values in the same order. */
export function declared({ numbers = {}, floats = {} }: Work): { text: string, values: Uniforms } {
  const whole = Object.entries(numbers).map(([name, value]) => ({ name, type: 'int32' as const, data: [value].flat() }))
  const broken = Object.entries(floats).map(([name, value]) => ({ name, type: 'float32' as const, data: [value] }))
  const all = [...whole, ...broken], scalar = { int32: 'i32', float32: 'f32' }
  return {
    text: all.map(({ name, type, data }) => `${name} : ${data.length > 1 ? `vec${data.length}<${scalar[type]}>` : scalar[type]},`)
      .join(' '),
    values: all.map(({ type, data }) => ({ type, data })),
  }
}

/**
 * One thread for each result.
 *
 * @param body WGSL statements that set `value`, the result at `index`; inputs are arrays under their names
 */
export function each(backend: WebGPUBackend, work: Work, body: string): TensorInfo {
  const { text, values } = declared(work), size = tf.util.sizeFromShape(work.shape)
  const program: Program = {
    variableNames: Object.keys(work.inputs), outputShape: work.shape, uniforms: text, size: true, shaderKey: `graft ${work.key}`,
    workgroupSize: [64, 1, 1], dispatchLayout: { x: work.shape.map((_, axis) => axis) }, dispatch: [Math.ceil(size / 64), 1, 1],
    getUserCode: () => `
      fn main(index : i32) {
        if (index >= uniforms.size) { return; }
        var value = ${work.whole ? '0' : '0.0'};
        ${body}
        result[index] = value;
      }`,
  }
  return backend.runWebGPUProgram(program, Object.values(work.inputs), work.whole ? 'int32' : 'float32', values)
}

/** Threads that are about enough to keep any GPU busy. */
const many = 2 ** 15

/**
 * Sums over the rows of what is thought of as a table `[rows, columns]`: first over as many parts of the rows as keep the GPU
 * busy, then over the parts, always in the same order.
 *
 * @param term WGSL statements that set `term` from `row` and `column`
 * @returns the sums, in the work's shape, which has `columns` elements
 */
export function sumRows(backend: WebGPUBackend, work: Work, rows: number, term: string): TensorInfo {
  const columns = tf.util.sizeFromShape(work.shape)
  const parts = Math.max(1, Math.min(Math.ceil(many / columns), Math.ceil(Math.sqrt(rows)))), length = Math.ceil(rows / parts)
  const numbers = { ...work.numbers, rows, columns, length }
  const partial = each(backend, { ...work, key: `${work.key}, in parts`, shape: [parts, columns], numbers }, `
    let column = index % uniforms.columns;
    let first = (index / uniforms.columns) * uniforms.length;
    let last = min(first + uniforms.length, uniforms.rows);
    for (var row = first; row < last; row++) {
      var term = 0.0;
      ${term}
      value += term;
    }`)
  if (parts === 1) return { ...partial, shape: work.shape }
  const sums = sumParts(backend, partial, work.shape)
  backend.disposeData(partial.dataId)
  return sums
}

/** Sums over the first axis. */
export function sumParts(backend: WebGPUBackend, partial: TensorInfo, shape: number[]): TensorInfo {
  return each(backend, { key: 'sum of parts', inputs: { partial }, shape, numbers: { parts: partial.shape[0] } },
    'for (var part = 0; part < uniforms.parts; part++) { value += partial[part * uniforms.size + index]; }')
}
