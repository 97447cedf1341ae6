export { images, ImageData, type ImageOptions, type Problem } from './images.ts'
export { ImageSet, type Batch } from './set.ts'
