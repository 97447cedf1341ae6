import type { Rules } from '../lifting.ts'
import { activation, swish } from './activation.ts'
import { merging, rescaling } from './arithmetic.ts'
import { convolution, dense } from './convolution.ts'
import { decomposed, normalization } from './normalization.ts'
import { pooling } from './pooling.ts'
import { shape } from './shape.ts'

/** Layers that TensorFlow writes as several operations; tried first. */
export const patterns: Rules[] = [swish, decomposed]

/** One operation and what may follow it; of several rules for one operation the first that applies is taken. */
export const rules: Rules[] = [convolution, dense, normalization, activation, pooling, shape, rescaling, merging]
