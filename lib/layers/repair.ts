import { registerActivations } from './activations.ts'
import { ActivityRegularization } from './activity.ts'
import { AdaptedNormalization } from './adapted-normalization.ts'
import { adaptivePoolingLayers } from './adaptive-pooling.ts'
import { AdditiveAttention, Attention } from './attention.ts'
import { KerasAugmentation } from './augmentation.ts'
import { AutoContrast } from './auto-contrast.ts'
import { repairBatchNormalization } from './batch-normalization.ts'
import { borderLayers } from './borders.ts'
import { repairComparisons } from './comparisons.ts'
import { convLstm1d } from './conv-lstm.ts'
import { repairConvolution } from './convolution.ts'
import { EinsumDense } from './einsum-dense.ts'
import { ELU } from './elu.ts'
import { repairGlobalPooling, volumePoolingLayers } from './global-pooling.ts'
import { GroupNormalization } from './group-normalization.ts'
import { repairGroups } from './groups.ts'
import { repairGru } from './gru.ts'
import { GroupQueryAttention, MultiHeadAttention } from './head-attention.ts'
import { repairLayerNormalization } from './layer-normalization.ts'
import { registerLayerScale } from './layer-scale.ts'
import { repairLookup } from './lookup.ts'
import { repairMasks } from './masks.ts'
import { repairMaximum } from './maximum.ts'
import { registerNormalization } from './normalization.ts'
import { repairPooling, repairVolumePooling } from './pooling.ts'
import type { TF } from './prototype.ts'
import { repairRelu } from './relu.ts'
import { repairReshape } from './reshape.ts'
import { CenterCrop, repairResizing, Resizing } from './resizing.ts'
import { CustomScaleLayer } from './scaled-sum.ts'
import { sequenceConvolutions } from './sequence-convolutions.ts'
import { repairSlices } from './slices.ts'
import { repairSoftmax } from './softmax.ts'
import { SpatialDropout2D, SpatialDropout3D } from './spatial-dropout.ts'
import { SpectralNormalization } from './spectral-normalization.ts'
import { StandardizedConv2D } from './standardized-convolution.ts'
import { Subtract } from './subtract.ts'
import { repairTakenTwice } from './taken-twice.ts'
import { registerTensorFlowOp } from './tensorflow-op.ts'
import { repairTrainable } from './trainable.ts'
import { repairTransposed } from './transposed-convolution.ts'
import { RMSNormalization, UnitNormalization } from './unit-normalization.ts'
import { upSamplingLayers } from './up-sampling.ts'
import { repairVolumes } from './volumes.ts'

const repaired = new WeakSet<object>()
const added = new Set<string>()

/** The classes of layers and activations that TensorFlow.js alone does not know. */
export const addedLayers = (): ReadonlySet<string> => added

/**
 * Mends what TensorFlow.js 4.22 gets wrong, so that fine-tuning does what Keras does: frozen batch normalization, batch
 * normalization and layer normalization without scale or offset, gradients of average pooling, of dilated convolutions, of
 * slices with steps, of volumes, of looked-up rows and of maxima among equals, dilation and groups, the padding of causal and of
 * transposed convolutions, the pixels' centres in resizing, softmax along any axis, masks, what a layer takes twice,
 * `model.trainable`. It adds Keras's layers and activations that are missing (docs/keras-layers.md lists them). Classes keep their names and configurations, so saved files do not change. Calling it again
 * does nothing.
 */
export function repair(tf: TF): void {
  if (repaired.has(tf.layers)) return
  repaired.add(tf.layers)
  repairBatchNormalization(tf)
  repairConvolution(tf)
  repairComparisons()
  repairGroups(tf)
  repairGru()
  repairLookup()
  repairTransposed(tf)
  repairPooling(tf)
  repairVolumePooling(tf)
  repairRelu(tf)
  repairGlobalPooling(tf)
  repairReshape(tf)
  repairLayerNormalization()
  repairMasks()
  repairMaximum()
  repairResizing()
  repairSlices()
  repairSoftmax(tf)
  repairTakenTwice()
  repairTrainable(tf)
  repairVolumes()
  const known = new Set(registered(tf))
  const classes = [
    Subtract, ELU, GroupNormalization, Resizing, CenterCrop, StandardizedConv2D, SpatialDropout2D, SpatialDropout3D,
    AdaptedNormalization, KerasAugmentation, CustomScaleLayer, UnitNormalization, RMSNormalization, AutoContrast,
    ActivityRegularization,
    Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention, EinsumDense, SpectralNormalization,
    ...borderLayers,
    ...upSamplingLayers, ...adaptivePoolingLayers, ...volumePoolingLayers, ...sequenceConvolutions(), convLstm1d(),
  ]
  for (const cls of classes) tf.serialization.registerClass(cls as never)
  registerActivations()
  registerTensorFlowOp(tf)
  registerLayerScale(tf)
  registerNormalization(tf)
  for (const name of registered(tf)) if (!known.has(name)) added.add(name)
}

const registered = (tf: TF): string[] => Object.keys(tf.serialization.SerializationMap.getMap().classNameMap)
