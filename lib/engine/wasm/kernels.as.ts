// What the module exports; each file holds one family of kernels.
export { convolutionFilterGradient, convolutionInputGradient, convolutionScratch } from './convolution.as'
export { depthwiseFilterGradient, depthwiseInputGradient, depthwiseScratch } from './depthwise.as'
export { clipGradient } from './elementwise.as'
export { normalizationScratch, normalize, normalizeGradient } from './normalization.as'
export { maxPoolGradient } from './pooling.as'
export { copyRows, sumRows } from './rows.as'
