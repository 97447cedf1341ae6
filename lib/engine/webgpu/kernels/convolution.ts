import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../../error.ts'
import { product } from '../product.ts'
import { each, sumRows } from '../program.ts'
import type { Kernels } from './index.ts'

type Shape = [number, number, number, number]
type Pair = [number, number]

interface Attributes {
  strides: number | Pair
  dilations?: number | Pair
  pad: 'same' | 'valid' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
  dataFormat?: 'NHWC' | 'NCHW'
  filterShape: Shape
  inputShape: Shape
}

/** Where the pixels of an image `[image, height, width, channel]` meet those of a convolution's output, in numbers for WGSL. */
function geometry(attributes: object, image: Shape, window: Shape, depthwise: boolean) {
  const { strides, dilations, pad, dimRoundingMode, dataFormat } = attributes as Attributes
  if (dataFormat === 'NCHW') throw new GraftError('the gradient of a convolution: expected the data format NHWC, received NCHW.')
  const info = tf.backend_util.computeConv2DInfo(image, window, strides, dilations ?? 1, pad, dimRoundingMode, depthwise)
  return {
    info,
    numbers: {
      window: [info.filterHeight, info.filterWidth], image: [info.inHeight, info.inWidth], out: [info.outHeight, info.outWidth],
      stride: [info.strideHeight, info.strideWidth], dilation: [info.dilationHeight, info.dilationWidth],
      pad: [info.padInfo.top, info.padInfo.left],
      channels: info.inChannels, filters: depthwise ? window[3] : info.outChannels,
    },
  }
}

/** The place in an image that a place of the output and one of the window lead to. */
const forth = `
  let h = oh * uniforms.stride.x - uniforms.pad.x + kh * uniforms.dilation.x;
  let w = ow * uniforms.stride.y - uniforms.pad.y + kw * uniforms.dilation.y;
  let met = h >= 0 && w >= 0 && h < uniforms.image.x && w < uniforms.image.y;`

/** The place of the output from which one of the window leads to a place in an image, if there is one. */
const back = `
  let up = h + uniforms.pad.x - kh * uniforms.dilation.x;
  let left = w + uniforms.pad.y - kw * uniforms.dilation.y;
  let oh = up / uniforms.stride.x;
  let ow = left / uniforms.stride.y;
  let even = oh * uniforms.stride.x == up && ow * uniforms.stride.y == left;
  let met = up >= 0 && left >= 0 && even && oh < uniforms.out.x && ow < uniforms.out.y;`

/** The image and the place in it that a pixel's number means. */
const pixelOf = (number: string) => `
  let w = ${number} % uniforms.image.y;
  let h = (${number} / uniforms.image.y) % uniforms.image.x;
  let n = ${number} / (uniforms.image.y * uniforms.image.x);`

/**
 * Gradients of convolutions, for every stride, padding, dilation and channel multiplier, in NHWC. TensorFlow.js's own leave
 * dilation out, and give a thread to each weight of a filter, which then goes through all images alone.
 */
export const convolution: Kernels = {
  /** The product of the image's patches, turned, and dy: `[window · channels, pixels] · [pixels, filters]`. */
  Conv2DBackpropFilter({ x, dy }, attributes, backend) {
    const { filterShape } = attributes as unknown as Attributes
    const { info, numbers } = geometry(attributes, x.shape as Shape, filterShape, false)
    const pixels = info.batchSize * info.outHeight * info.outWidth
    return product(backend, { key: 'gradient of a filter', inputs: { x, dy }, shape: filterShape, numbers }, pixels, {
      adjacent: 'outer', element: `
        let channel = outer % uniforms.channels;
        let kw = (outer / uniforms.channels) % uniforms.window.y;
        let kh = outer / (uniforms.channels * uniforms.window.y);
        let ow = inner % uniforms.out.y;
        let oh = (inner / uniforms.out.y) % uniforms.out.x;
        let n = inner / (uniforms.out.y * uniforms.out.x);
        ${forth}
        if (met) { value = x[((n * uniforms.image.x + h) * uniforms.image.y + w) * uniforms.channels + channel]; }`,
    }, { adjacent: 'outer', element: 'value = dy[inner * uniforms.columns + outer];' })
  },

  /** The product of dy's patches and the filter, turned: `[pixels, window · filters] · [window · filters, channels]`. */
  Conv2DBackpropInput({ dy, filter }, attributes, backend) {
    const { inputShape } = attributes as unknown as Attributes, [kh, kw, , filters] = filter.shape
    const { numbers } = geometry(attributes, inputShape, filter.shape as Shape, false), inputs = { dy, weights: filter }
    return product(backend, { key: 'gradient of a convolution\'s image', inputs, shape: inputShape, numbers }, kh * kw * filters, {
      adjacent: 'inner', element: `
        let co = inner % uniforms.filters;
        let kw = (inner / uniforms.filters) % uniforms.window.y;
        let kh = inner / (uniforms.filters * uniforms.window.y);
        ${pixelOf('outer')}
        ${back}
        if (met) { value = dy[((n * uniforms.out.x + oh) * uniforms.out.y + ow) * uniforms.filters + co]; }`,
    }, {
      adjacent: 'inner',
      element: `
        let place = (inner / uniforms.filters) * uniforms.channels + outer;
        value = weights[place * uniforms.filters + inner % uniforms.filters];`,
    })
  },

  DepthwiseConv2dNativeBackpropFilter({ x, dy }, attributes, backend) {
    const { filterShape } = attributes as unknown as Attributes
    const { info, numbers } = geometry(attributes, x.shape as Shape, filterShape, true), rows = info.batchSize * info.outHeight
    return sumRows(backend, { key: 'gradient of a depthwise filter', inputs: { x, dy }, shape: filterShape, numbers }, rows, `
      let q = column % uniforms.filters;
      let channel = (column / uniforms.filters) % uniforms.channels;
      let place = column / (uniforms.filters * uniforms.channels);
      let kw = place % uniforms.window.y;
      let kh = place / uniforms.window.y;
      let oh = row % uniforms.out.x;
      let n = row / uniforms.out.x;
      for (var ow = 0; ow < uniforms.out.y; ow++) {
        ${forth}
        if (met) {
          term += x[((n * uniforms.image.x + h) * uniforms.image.y + w) * uniforms.channels + channel]
            * dy[(row * uniforms.out.y + ow) * uniforms.channels * uniforms.filters + channel * uniforms.filters + q];
        }
      }`)
  },

  DepthwiseConv2dNativeBackpropInput({ dy, filter }, attributes, backend) {
    const { inputShape } = attributes as unknown as Attributes, inputs = { dy, weights: filter }
    const { numbers } = geometry(attributes, inputShape, filter.shape as Shape, true)
    return each(backend, { key: 'gradient of a depthwise convolution\'s image', inputs, shape: inputShape, numbers }, `
      let channel = index % uniforms.channels;
      let pixel = index / uniforms.channels;
      ${pixelOf('pixel')}
      for (var kh = 0; kh < uniforms.window.x; kh++) {
        for (var kw = 0; kw < uniforms.window.y; kw++) {
          ${back}
          if (!met) { continue; }
          let first = (((n * uniforms.out.x + oh) * uniforms.out.y + ow) * uniforms.channels + channel) * uniforms.filters;
          let at = ((kh * uniforms.window.y + kw) * uniforms.channels + channel) * uniforms.filters;
          for (var q = 0; q < uniforms.filters; q++) { value += dy[first + q] * weights[at + q]; }
        }
      }`)
  },
}
