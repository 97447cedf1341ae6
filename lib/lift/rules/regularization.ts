import { tf } from '../../tf.ts'
import type { Rules } from '../lifting.ts'

/** Dropout, which does nothing but in training: it was put back from the trace for training. */
export const regularization: Rules = {
  Dropout(node, lift) {
    const { rate, noiseShape } = node.dropout!
    return lift.layer(tf.layers.dropout, { rate, ...(noiseShape ? { noiseShape } : {}) }, { named: node, inputs: node.inputs })
  },
}
