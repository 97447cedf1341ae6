import * as tf from '@tensorflow/tfjs'
import { prototypeOf, type Methods } from './prototype.ts'

interface Variable { read(): tf.Tensor }
interface Cell {
  units: number
  useBias: boolean
  /** Whether the gate is applied after the recurrent product, as Keras does by default: bias is [2, 3·units] then. */
  resetAfter?: boolean
  kernel: Variable
  recurrentKernel: Variable
  bias: Variable | null
  activation: { apply(x: tf.Tensor): tf.Tensor }
  recurrentActivation: { apply(x: tf.Tensor): tf.Tensor }
  dropout: number
  dropoutMask: tf.Tensor | tf.Tensor[] | null
  addWeight(name: string, shape: number[], ...rest: unknown[]): Variable
}
interface GRU { cell: Cell }
interface ResetAfter { resetAfter?: boolean }

/** GRU and its cell with `reset_after`, Keras's default, which TensorFlow.js refuses. A configuration carries it. */
export function repairGru(): void {
  const layer = tf.layers.gru({ units: 1 }), prototype = prototypeOf(layer), cls = prototype.constructor
  const cell = prototypeOf((layer as unknown as { cell: object }).cell)
  cls.fromConfig = (make: new (config: object) => GRU, { resetAfter, ...config }: ResetAfter) => {
    const made = new make(config)
    if (resetAfter) made.cell.resetAfter = true
    return made
  }
  cell.constructor.fromConfig = (make: new (config: object) => Cell, { resetAfter, ...config }: ResetAfter) =>
    Object.assign(new make(config), resetAfter && { resetAfter })
  for (const each of [cls, cell.constructor]) tf.serialization.registerClass(each as never)
  repairCell(cell)
}

function repairCell(cell: Methods): void {
  const build = cell.build as unknown as (shape: unknown) => void
  const call = cell.call as unknown as (inputs: tf.Tensor[], kwargs: object) => tf.Tensor[]
  const getConfig = cell.getConfig as unknown as () => object
  cell.getConfig = function (this: Cell) {
    return { ...getConfig.call(this), resetAfter: this.resetAfter ?? false }
  }
  cell.build = function (this: Cell, shape: unknown) {
    if (!this.resetAfter) return build.call(this, shape)
    const { addWeight } = this
    this.addWeight = (name, sides, ...rest) => addWeight.call(this, name, name === 'bias' ? [2, ...sides] : sides, ...rest)
    try {
      build.call(this, shape)
    } finally {
      this.addWeight = addWeight
    }
  }
  cell.call = function (this: Cell, inputs: tf.Tensor[], kwargs: { training?: boolean }) {
    return this.resetAfter ? tf.tidy(() => resetAfter(this, inputs, kwargs.training === true)) : call.call(this, inputs, kwargs)
  }
}

function resetAfter(cell: Cell, [given, state]: tf.Tensor[], training: boolean): tf.Tensor[] {
  // One mask for all steps of a sequence, which the layer disposes of.
  if (training && cell.dropout > 0) cell.dropoutMask ??= tf.keep(tf.dropout(tf.onesLike(given), cell.dropout))
  const x = training && cell.dropout > 0 ? tf.mul(given, cell.dropoutMask as tf.Tensor) : given
  const parts = (value: tf.Tensor, weights: Variable, row: number) => {
    const product = tf.matMul(value as tf.Tensor2D, weights.read() as tf.Tensor2D)
    const bias = cell.bias ? tf.reshape(tf.slice(cell.bias.read(), [row, 0], [1, -1]), [-1]) : undefined
    return tf.split(bias ? tf.add(product, bias) : product, 3, 1)
  }
  const [xUpdate, xReset, xNew] = parts(x, cell.kernel, 0), [update, reset, fresh] = parts(state, cell.recurrentKernel, 1)
  const keep = cell.recurrentActivation.apply(tf.add(xUpdate, update)), open = cell.recurrentActivation.apply(tf.add(xReset, reset))
  const proposed = cell.activation.apply(tf.add(xNew, tf.mul(open, fresh)))
  const next = tf.add(tf.mul(keep, state), tf.mul(tf.sub(1, keep), proposed))
  return [next, next]
}
