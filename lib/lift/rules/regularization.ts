import { SpatialDropout2D } from '../../layers/spatial-dropout.ts'
import { tf } from '../../tf.ts'
import type { Rules } from '../lifting.ts'

/** Dropout, which does nothing but in training: it was put back from the trace for training. */
export const regularization: Rules = {
  Dropout(node, lift) {
    const { rate, noiseShape } = node.dropout!
    const wholeChannels = noiseShape?.length === 4 && noiseShape[1] === 1 && noiseShape[2] === 1 && noiseShape[3] === null
    const spatial = (options: never) => new SpatialDropout2D(options)
    if (wholeChannels) return lift.layer(spatial, { rate }, { named: node, inputs: node.inputs })
    return lift.layer(tf.layers.dropout, { rate, ...(noiseShape ? { noiseShape } : {}) }, { named: node, inputs: node.inputs })
  },
}
