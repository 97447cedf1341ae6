// What the module exports; each file holds one family of kernels.
export { convolution, convolutionFilterGradient, convolutionInputGradient, convolutionScratch } from './convolution.as'
export { depthwiseFilterGradient, depthwiseInputGradient, depthwiseScratch } from './depthwise.as'
