import { ELU } from './elu.ts'
import { Exponential } from './exponential.ts'
import { GroupNormalization } from './group-normalization.ts'
import { repairBatchNormalization } from './batch-normalization.ts'
import { AdaptedNormalization } from './adapted-normalization.ts'
import { KerasAugmentation } from './augmentation.ts'
import { repairConvolution } from './convolution.ts'
import { repairGlobalPooling } from './global-pooling.ts'
import { HardSigmoid3, HardSilu } from './hard-sigmoid.ts'
import { SpatialDropout2D } from './spatial-dropout.ts'
import { repairLayerNormalization } from './layer-normalization.ts'
import { registerLayerScale } from './layer-scale.ts'
import { registerNormalization } from './normalization.ts'
import { repairMaximum } from './maximum.ts'
import { repairPooling } from './pooling.ts'
import type { TF } from './prototype.ts'
import { repairRelu } from './relu.ts'
import { repairReshape } from './reshape.ts'
import { registerTensorFlowOp } from './tensorflow-op.ts'
import { repairResizing, Resizing } from './resizing.ts'
import { CustomScaleLayer } from './scaled-sum.ts'
import { repairSlices } from './slices.ts'
import { repairSoftmax } from './softmax.ts'
import { StandardizedConv2D } from './standardized-convolution.ts'
import { Subtract } from './subtract.ts'
import { repairTrainable } from './trainable.ts'
import { repairTransposed } from './transposed-convolution.ts'

const repaired = new WeakSet<object>()

/**
 * Mends what TensorFlow.js 4.22 gets wrong, so that fine-tuning does what Keras does: frozen batch normalization, batch
 * normalization and layer normalization without scale or offset, gradients of average pooling, of dilated convolutions, of
 * slices with steps and of maxima among equals, dilation and groups, the output's padding of transposed convolutions, the pixels' centres in bilinear up-sampling, softmax along any axis,
 * `model.trainable`. It adds Keras's layers and activations that are missing: GroupNormalization, Resizing, Subtract, ELU with
 * an alpha, SpatialDropout2D, those that augment, and Big Transfer's standardized convolution. Classes keep their names and
 * configurations, so saved files do not change. Calling it again does nothing.
 */
export function repair(tf: TF): void {
  if (repaired.has(tf.layers)) return
  repaired.add(tf.layers)
  repairBatchNormalization(tf)
  repairConvolution(tf)
  repairTransposed(tf)
  repairPooling(tf)
  repairRelu(tf)
  repairGlobalPooling(tf)
  repairReshape(tf)
  repairLayerNormalization()
  repairMaximum()
  repairResizing()
  repairSlices()
  repairSoftmax(tf)
  repairTrainable(tf)
  const added = [
    Subtract, ELU, GroupNormalization, Resizing, StandardizedConv2D, SpatialDropout2D, AdaptedNormalization, KerasAugmentation,
    CustomScaleLayer, HardSigmoid3, HardSilu, Exponential,
  ]
  for (const cls of added) tf.serialization.registerClass(cls as never)
  registerTensorFlowOp(tf)
  registerLayerScale(tf)
  registerNormalization(tf)
}
