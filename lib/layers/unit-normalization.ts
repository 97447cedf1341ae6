import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

interface Settings { axis: number | number[] }

/** Keras's `UnitNormalization`: x through its length, √Σx², along some axes; of length 0 it stays 0. */
export class UnitNormalization extends OneInput<Settings> {
  static className = 'UnitNormalization'

  constructor(config: LayerConfig<Partial<Settings>> = {}) {
    super(config, { axis: config.axis ?? -1 })
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.mul(x, tf.rsqrt(tf.maximum(tf.sum(tf.square(x), this.settings.axis, true), 1e-24)))
  }
}

/**
 * Keras's `RMSNormalization`: x through √(mean of x² + epsilon) along some axes, times a learned factor for each entry there.
 * Source: Zhang and Sennrich, Root Mean Square Layer Normalization (2019).
 */
export class RMSNormalization extends OneInput<Settings & { epsilon: number }> {
  static className = 'RMSNormalization'
  #scale!: { read(): tf.Tensor }

  constructor(config: LayerConfig<Partial<Settings & { epsilon: number }>> = {}) {
    super(config, { axis: config.axis ?? -1, epsilon: config.epsilon ?? 1e-6 })
  }

  #axes(rank: number): number[] {
    return [this.settings.axis].flat().map(axis => axis < 0 ? axis + rank : axis).sort((a, b) => a - b)
  }

  override build(shapes: tf.Shape | tf.Shape[]): void {
    const shape = shapes as tf.Shape
    this.#scale = this.addWeight('scale', this.#axes(shape.length).map(axis => shape[axis]!), 'float32', tf.initializers.ones())
    this.built = true
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const axes = this.#axes(x.rank), square = tf.mean(tf.square(x), axes, true)
    const scale = tf.reshape(this.#scale.read(), x.shape.map((size, d) => axes.includes(d) ? size : 1))
    return tf.mul(tf.mul(x, tf.rsqrt(tf.add(square, this.settings.epsilon))), scale)
  }
}
