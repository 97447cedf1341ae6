import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

interface Settings { valueRange: [number, number] }

/** Keras's `AutoContrast`: each channel of each image is stretched so that it fills the range of values; an even one stays. */
export class AutoContrast extends OneInput<Settings> {
  static className = 'AutoContrast'

  constructor(config: LayerConfig<Partial<Settings>> = {}) {
    super(config, { valueRange: config.valueRange ?? [0, 255] })
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const [least, most] = this.settings.valueRange, low = tf.min(x, [1, 2], true), width = tf.sub(tf.max(x, [1, 2], true), low)
    const even = tf.cast(tf.equal(width, 0), 'float32')
    const stretched = tf.add(tf.mul(tf.div(tf.sub(x, low), tf.add(width, even)), most - least), least)
    return tf.add(tf.mul(tf.clipByValue(stretched, least, most), tf.sub(1, even)), tf.mul(x, even))
  }
}
