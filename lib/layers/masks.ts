import * as tf from '@tensorflow/tfjs'
import { prototypeOf } from './prototype.ts'

/** What becomes of a mask in a layer, as Keras 3 has it. */
export type MaskRule =
  /** It makes one of what it is called on. */
  | 'made'
  /** That of the first input is the output's. */
  | 'passed'
  /** An entry counts that counts in any of the inputs, where all have a mask. */
  | 'merged'
  /** What comes out has none. */
  | 'ended'

interface Settings { className: string, returnSequences?: unknown, maskZero?: unknown }

const passing = new Set(('Activation ActivityRegularization AdaptedNormalization AdditiveAttention AlphaDropout Attention ' +
  'BatchNormalization Dense Dropout ELU GaussianDropout GaussianNoise GroupNormalization GroupQueryAttention ' +
  'LayerNormalization LeakyReLU MultiHeadAttention Normalization PReLU ReLU Rescaling Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D ' +
  'TimeDistributed UnitNormalization').split(' '))
const merging = new Set(['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum'])
const recurrent = new Set(['SimpleRNN', 'LSTM', 'GRU', 'RNN', 'ConvLSTM1D', 'ConvLSTM2D', 'Bidirectional'])

/** What becomes of a mask in a layer of such a class and settings. */
export function maskRule({ className, returnSequences, maskZero }: Settings): MaskRule {
  if (className === 'Masking' || className === 'Embedding' && maskZero) return 'made'
  if (merging.has(className)) return 'merged'
  return passing.has(className) || recurrent.has(className) && returnSequences ? 'passed' : 'ended'
}

/** Whether a layer of this class computes otherwise where its input has a mask. */
export const usesMask = (className: string): boolean =>
  recurrent.has(className) || /Attention$/.test(className) || /^(GlobalAveragePooling1D|BatchNormalization)$/.test(className)

interface Layer extends tf.layers.Layer {
  returnSequences?: boolean
  maskZero?: boolean
  maskValue?: number
}

/** The mask of a tensor: true for the entries of a sequence that count. */
export function maskOf(x: tf.Tensor): tf.Tensor | undefined {
  const { kerasMask } = x
  return kerasMask && !kerasMask.isDisposed ? kerasMask : undefined
}

function make(layer: Layer, x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => layer.getClassName() === 'Masking' ? tf.any(tf.notEqual(x, layer.maskValue ?? 0), -1) : tf.notEqual(x, 0))
}

function maskAfter(layer: Layer, inputs: tf.Tensor[], given: (tf.Tensor | undefined)[]): tf.Tensor | undefined {
  const { returnSequences, maskZero } = layer
  switch (maskRule({ className: layer.getClassName(), returnSequences, maskZero })) {
    case 'made': return make(layer, inputs[0])
    case 'passed': return given[0] && tf.clone(given[0])
    case 'merged': return given.every(each => each !== undefined)
      ? tf.tidy(() => given.reduce((either, each) => tf.logicalOr(either!, each!))!.clone()) : undefined
    case 'ended': return undefined
  }
}

/**
 * Masks, by which recurrent layers, attention and pooling leave out entries of a sequence, go from layer to layer as in Keras 3:
 * each tensor carries its own. TensorFlow.js hands the first that it meets to all layers after it, and merges those of several
 * inputs wrongly. A model within a model takes masks in and gives none out. Source: `Layer.__call__` and `compute_mask` in Keras.
 */
export function repairMasks(): void {
  const prototype = tf.layers.Layer.prototype as unknown as { apply: (inputs: unknown, kwargs?: object) => unknown }
  const { apply } = prototype
  // What makes none for TensorFlow.js leaves the rest to what follows.
  for (const layer of [tf.layers.masking(), tf.layers.embedding({ inputDim: 1, outputDim: 1 })])
    prototypeOf(layer).computeMask = () => null
  prototype.apply = function (this: Layer, inputs, kwargs) {
    const given = [inputs].flat()
    if (!given.every(each => each instanceof tf.Tensor)) return apply.call(this, inputs, kwargs)
    const masks = given.map(maskOf)
    const told = masks.some(Boolean) && !(this instanceof tf.LayersModel) ? { mask: given.length > 1 ? masks : masks[0] } : {}
    const outputs = apply.call(this, inputs, { ...kwargs, ...told })
    const [first] = [outputs].flat() as tf.Tensor[]
    // A layer that stands for another has called it, which has left its mask.
    if (!maskOf(first)) first.kerasMask = maskAfter(this, given, masks)
    return outputs
  }
}
