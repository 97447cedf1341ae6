import { prototypeOf, type TF } from './prototype.ts'

type Shape = (number | null)[]
interface Reshape {
  targetShape: Shape
  fixUnknownDimension(input: Shape, target: Shape): Shape
}

/** `Reshape` with a −1 tells its output's shape though the batch's size is unknown, which TensorFlow.js takes for an unknown size. */
export function repairReshape(tf: TF): void {
  const prototype = prototypeOf(tf.layers.reshape({ targetShape: [1] }))
  prototype.computeOutputShape = function (this: Reshape, [batch, ...sizes]: Shape) {
    const known = sizes.every(size => size !== null && size >= 0)
    return [batch, ...(known ? this.fixUnknownDimension(sizes, this.targetShape) : this.targetShape)]
  }
}
