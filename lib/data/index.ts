export { images, ImageData, type ImageOptions, type Problem } from './images.ts'
export { tensors, type TensorOptions } from './tensors.ts'
export { ImageSet, type Batch } from './set.ts'
export { from, type Example } from './from.ts'
