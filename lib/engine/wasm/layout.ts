import * as tf from '@tensorflow/tfjs'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import { addressOf, withScratch } from './memory.ts'
import type { Kernel, Kernels, Module } from './memory.ts'

const { sizeFromShape, parseAxisParam, computeStrides } = tf.util

/**
 * Kernels that the WASM backend has, but runs row by row in JavaScript or on whole copies: a copy that shares its memory, slices,
 * concatenation and sums over outer axes. What they do not cover goes to the backend's own.
 */
export function layoutKernels(backend: BackendWasm, module: Module): Kernels {
  const at = (tensor: tf.TensorInfo) => addressOf(backend, tensor)
  const stock = (name: string) => tf.getKernel(name, 'wasm').kernelFunc as unknown as (call: object) => ReturnType<Kernel>
  const words = (x: tf.TensorInfo) => x.dtype === 'float32' || x.dtype === 'int32'
  const own = { Identity: stock('Identity'), Slice: stock('Slice'), SplitV: stock('SplitV'), Concat: stock('Concat'), Sum: stock('Sum') }

  function slice(x: tf.TensorInfo, begin: number[], size: number[]): tf.TensorInfo {
    const out = backend.makeOutput(size, x.dtype), strides = [...computeStrides(x.shape), 1]
    // Axes from `inner` on are taken whole, so that a row from axis `inner` − 1 is one run of memory.
    let inner = size.length
    while (inner > 0 && size[inner - 1] === x.shape[inner - 1]) inner--
    const run = sizeFromShape(size.slice(Math.max(inner - 1, 0)))
    const step = inner > 1 ? strides[inner - 2] : 0, rows = inner > 1 ? size[inner - 2] : 1
    const outer = size.slice(0, Math.max(inner - 2, 0)), blocks = sizeFromShape(outer)
    if (sizeFromShape(size) === 0) return out
    for (let block = 0; block < blocks; block++) {
      let from = 0
      for (let axis = size.length - 1, left = block, k = outer.length; axis >= 0; axis--) {
        if (axis >= k) { from += begin[axis] * strides[axis]; continue }
        from += (begin[axis] + left % size[axis]) * strides[axis]
        left = Math.floor(left / size[axis])
      }
      module.copyRows(at(out) + 4 * block * rows * run, run, at(x) + 4 * from, step, rows, run)
    }
    return out
  }

  return {
    Identity({ x }, attrs) {
      if (x.dtype === 'string') return own.Identity({ inputs: { x }, attrs, backend })
      backend.incRef(x.dataId)
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype }
    },

    Slice({ x }, attrs) {
      if (!words(x)) return own.Slice({ inputs: { x }, attrs, backend })
      const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attrs.begin as number[], attrs.size as number[])
      return slice(x, begin, size)
    },

    SplitV({ x }, attrs) {
      if (!words(x)) return own.SplitV({ inputs: { x }, attrs, backend })
      const axis = parseAxisParam(attrs.axis as number, x.shape)[0], begin = x.shape.map(() => 0)
      return tf.backend_util.prepareSplitSize(x as tf.Tensor, attrs.numOrSizeSplits as number[], axis).map((length) => {
        const part = slice(x, begin, x.shape.map((side, i) => i === axis ? length : side))
        begin[axis] += length
        return part
      })
    },

    Concat(inputs, attrs) {
      const parts = Object.values(inputs)
      if (!parts.every(words)) return own.Concat({ inputs: parts, attrs, backend })
      const axis = parseAxisParam(attrs.axis as number, parts[0].shape)[0], shapes = parts.map(({ shape }) => shape)
      tf.backend_util.assertParamsConsistent(shapes, axis)
      const shape = tf.backend_util.computeOutShape(shapes, axis), out = backend.makeOutput(shape, parts[0].dtype)
      const rows = sizeFromShape(shape.slice(0, axis)), row = sizeFromShape(shape.slice(axis))
      let offset = 0
      for (const part of parts) {
        const length = sizeFromShape(part.shape.slice(axis))
        module.copyRows(at(out) + 4 * offset, row, at(part), length, rows, length)
        offset += length
      }
      return out
    },

    Sum({ x }, attrs) {
      const axes = parseAxisParam(attrs.axis as number[], x.shape).sort((a, b) => a - b), last = axes.at(-1) ?? -1
      const inner = sizeFromShape(x.shape.slice(last + 1)), adjacent = last - axes[0] === axes.length - 1
      if (x.dtype !== 'float32' || !adjacent || inner === 1) return own.Sum({ inputs: { x }, attrs, backend })
      const kept = attrs.keepDims ? x.shape.map((side, i) => axes.includes(i) ? 1 : side) : x.shape.filter((_, i) => !axes.includes(i))
      const out = backend.makeOutput(kept, 'float32'), outer = sizeFromShape(x.shape.slice(0, axes[0]))
      const rows = sizeFromShape(x.shape.slice(axes[0], last + 1))
      withScratch(backend, module.normalizationScratch(inner), (spare) => module.sumRows(at(out), at(x), outer, rows, inner, spare))
      return out
    },
  }
}
