import * as tf from '@tensorflow/tfjs'

interface SliceAttributes {
  begin: number[]
  end: number[]
  strides: number[]
  beginMask: number
  endMask: number
  ellipsisMask: number
  newAxisMask: number
  shrinkAxisMask: number
}

/** The gradient of a slice with steps, which TensorFlow.js lacks: what was left out gets zeros. */
export function repairSlices(): void {
  tf.registerGradient({
    kernelName: 'StridedSlice', inputsToSave: ['x'],
    gradFunc: (dy, [x], attributes) => {
      const a = attributes as unknown as SliceAttributes
      const info = tf.slice_util.sliceInfo(
        x.shape, a.begin, a.end, a.strides, a.beginMask, a.endMask, a.ellipsisMask, a.newAxisMask, a.shrinkAxisMask)
      return { x: () => spread(dy as tf.Tensor, x.shape, info.begin, info.end, info.strides) }
    },
  })
}

/** `dy` at every `strides`-th place from `begin` on of a tensor of `shape` that is zero elsewhere. */
function spread(dy: tf.Tensor, shape: number[], begin: number[], end: number[], strides: number[]): tf.Tensor {
  return tf.tidy(() => {
    const counts = shape.map((_, d) => Math.max(0, Math.ceil((end[d] - begin[d]) / strides[d])))
    const backwards = strides.flatMap((step, d) => step < 0 ? [d] : [])
    let out = tf.reshape(dy, counts)
    if (backwards.length) out = tf.reverse(out, backwards)
    for (let d = 0; d < shape.length; d++) {
      const step = Math.abs(strides[d]), first = strides[d] > 0 ? begin[d] : begin[d] + (counts[d] - 1) * strides[d]
      if (step > 1) out = interleave(out, d, step)
      const excess = first + out.shape[d] - shape[d]
      const fitting = out.shape.map((size, axis) => axis === d ? size - Math.max(excess, 0) : size)
      if (excess > 0) out = tf.slice(out, out.shape.map(() => 0), fitting)
      out = tf.pad(out, out.shape.map((size, axis) => axis === d ? [first, shape[d] - first - size] : [0, 0]))
    }
    return out
  })
}

/** `step − 1` zeros behind each element along dimension `d`. */
function interleave(x: tf.Tensor, d: number, step: number): tf.Tensor {
  const before = x.shape.slice(0, d), after = x.shape.slice(d + 1)
  const apart = tf.reshape(x, [before.reduce((a, b) => a * b, 1) * x.shape[d], 1, after.reduce((a, b) => a * b, 1)])
  return tf.reshape(tf.pad(apart, [[0, 0], [0, step - 1], [0, 0]]), [...before, x.shape[d] * step, ...after])
}

/** `step − 1` zeros between the elements along dimension `d`. */
export function apart(x: tf.Tensor, d: number, step: number): tf.Tensor {
  if (step === 1) return x
  const spread = interleave(x, d, step)
  return tf.slice(spread, spread.shape.map(() => 0), spread.shape.map((size, axis) => axis === d ? size - step + 1 : size))
}
