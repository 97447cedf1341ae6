import * as tf from '@tensorflow/tfjs'
import { OneInput, type LayerConfig } from './one-input.ts'

/** How much of the sum of |x|, and of x², of an output counts as a loss. */
export interface Penalty { l1: number, l2: number }

/**
 * Makes a layer's output part of the loss while it trains, as Keras's `activity_regularizer` does: l1·Σ|x| + l2·Σx², divided by
 * the number of examples. TensorFlow.js refuses to call such a layer. Where the layer is computed apart, because nothing before it
 * trains, its penalty changes nothing and is left out. Source: `Layer.__call__` in keras/src/layers/layer.py.
 */
export function penalizeActivity<L extends tf.layers.Layer>(layer: L, { l1, l2 }: Penalty): L {
  const { call, getConfig, calculateLosses } = layer
  // A shared layer is called, and asked for its losses, as often as it has nodes.
  const seen: tf.Tensor[] = []
  layer.call = (inputs, kwargs) => {
    const output = call.call(layer, inputs, kwargs)
    seen.push([output].flat()[0])
    if (seen.length > Math.max(1, layer.inboundNodes.length)) seen.shift()
    return output
  }
  layer.calculateLosses = () => {
    const output = seen.shift()
    if (output) seen.push(output)
    return [...calculateLosses.call(layer), output && !output.isDisposed ? penaltyOf(output, { l1, l2 }) : tf.scalar(0)]
  }
  layer.getConfig = () => ({ ...getConfig.call(layer), activityRegularizer: { className: 'L1L2', config: { l1, l2 } } })
  return layer
}

function penaltyOf(x: tf.Tensor, { l1, l2 }: Penalty): tf.Scalar {
  const whole = tf.add(tf.mul(tf.sum(tf.abs(x)), l1), tf.mul(tf.sum(tf.square(x)), l2))
  return tf.div(whole, x.shape[0] || 1) as tf.Scalar
}

/** Keras's `ActivityRegularization`: passes its input on, and makes it part of the loss. */
export class ActivityRegularization extends OneInput<Penalty> {
  static className = 'ActivityRegularization'

  constructor(config: LayerConfig<Partial<Penalty>> = {}) {
    super(config, { l1: config.l1 ?? 0, l2: config.l2 ?? 0 })
    const { getConfig } = this
    penalizeActivity(this, this.settings).getConfig = getConfig
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.clone(x)
  }
}
