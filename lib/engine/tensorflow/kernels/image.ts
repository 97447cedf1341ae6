import type { Kernel, Kernels } from './index.ts'
import { float, ints } from '../backend.ts'

const resize = (op: string): Kernel => ({ images }, { size, alignCorners, halfPixelCenters }, backend) => backend.compose(run => {
  const y = run(op, [images, ints(size as number[])], { align_corners: Boolean(alignCorners), half_pixel_centers: Boolean(halfPixelCenters) })
  return y.dtype === 'float32' ? y : run('Cast', [y], { DstT: 'float32' })
})

/** TensorFlow.js's gradient does not say where a pixel's middle is: its forward pass's default is taken. */
const resizeGradient = (op: string, like: boolean): Kernel => ({ images, dy }, { alignCorners }, backend) =>
  backend.run(op, [dy, like ? images : ints(images.shape.slice(1, 3))], { align_corners: Boolean(alignCorners) })[0]

/** Resizing, cutting out and moving of images. */
export const image: Kernels = {
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighbor'),
  ResizeBilinearGrad: resizeGradient('ResizeBilinearGrad', true),
  ResizeNearestNeighborGrad: resizeGradient('ResizeNearestNeighborGrad', false),
  CropAndResize: ({ image, boxes, boxInd }, { cropSize, method, extrapolationValue }, backend) => backend.run('CropAndResize',
    [image, boxes, boxInd, ints(cropSize as number[])], { method: method as string, extrapolation_value: extrapolationValue as number })[0],
  Transform: ({ image, transforms }, { interpolation, fillMode, fillValue, outputShape }, backend) => backend.run('ImageProjectiveTransformV3',
    [image, transforms, ints((outputShape as number[] | null) ?? image.shape.slice(1, 3)), float(fillValue as number)],
    { interpolation: String(interpolation).toUpperCase(), fill_mode: String(fillMode).toUpperCase() })[0],
  FlipLeftRight: ({ image }, _attributes, backend) => backend.run('ReverseV2', [image, ints([2])])[0],
}
