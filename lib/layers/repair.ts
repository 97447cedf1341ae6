import { repairBatchNormalization } from './batch-normalization.ts'
import { repairConvolution } from './convolution.ts'
import { registerLayerScale } from './layer-scale.ts'
import { registerNormalization } from './normalization.ts'
import { repairPooling } from './pooling.ts'
import type { TF } from './prototype.ts'
import { repairRelu } from './relu.ts'
import { repairReshape } from './reshape.ts'
import { registerTensorFlowOp } from './tensorflow-op.ts'
import { repairTrainable } from './trainable.ts'

const repaired = new WeakSet<object>()

/**
 * Mends what TensorFlow.js 4.22 gets wrong, so that fine-tuning does what Keras does: frozen batch normalization, batch
 * normalization without scale or offset, gradients of average pooling and of dilated convolutions, dilation and groups,
 * `model.trainable`. Classes keep their names and configurations, so saved files do not change. Calling it again does nothing.
 */
export function repair(tf: TF): void {
  if (repaired.has(tf.layers)) return
  repaired.add(tf.layers)
  repairBatchNormalization(tf)
  repairConvolution(tf)
  repairPooling(tf)
  repairRelu(tf)
  repairReshape(tf)
  repairTrainable(tf)
  registerTensorFlowOp(tf)
  registerLayerScale(tf)
  registerNormalization(tf)
}
