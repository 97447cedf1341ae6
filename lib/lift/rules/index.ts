import type { Rules } from '../lifting.ts'
import { activation } from './activation.ts'
import { merging, mergingAll, rescaling, scaling, standardizing } from './arithmetic.ts'
import { composed, parametric } from './composed.ts'
import { convolution, dense, denseOnChannels, dilated, separable } from './convolution.ts'
import { moments } from './moments.ts'
import { decomposed, normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { regularization } from './regularization.ts'
import { repeated, resizing } from './resizing.ts'
import { shape } from './shape.ts'

/** Layers that TensorFlow writes as several operations; tried first. */
export const patterns: Rules[] = [
  parametric,
  composed,
  decomposed,
  moments,
  denseOnChannels,
  separable,
  dilated,
  repeated,
  mergingAll,
]

/** One operation and what may follow it; of several rules for one operation the first that applies is taken. */
export const rules: Rules[] = [
  convolution,
  dense,
  normalization,
  regularization,
  activation,
  pooling,
  resizing,
  shape,
  standardizing,
  rescaling,
  scaling,
  merging,
]
