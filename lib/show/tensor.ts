import type { Tensor } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { figure } from './figure.ts'
import { plural } from './format.ts'
import { thumbnail } from './thumbnail.ts'

/** A tensor in letters: dtype, shape, and its values, the middle of long axes left out. */
export function tensorText(tensor: Tensor): string {
  const what = `${tensor.constructor.name} ${tensor.dtype} [${tensor.shape.join(', ')}]`
  if (tensor.isDisposed) return `${what}, disposed`
  const shown =
    tensor.dtype === 'complex64'
      ? tensor.toString().replace(/^Tensor\s*/, '')
      : written(tensor.dataSync(), tensor.shape, tensor.dtype)
  return tensor.rank === 0 ? `${what} ${shown}` : `${what}\n${shown}`
}

/** Values in brackets, columns aligned; of a large tensor the first and the last three of each axis, as NumPy prints them. */
function written(values: ArrayLike<number | string>, shape: number[], dtype: string): string {
  const edge = values.length > 200 ? 3 : Infinity
  const places = (n: number) => Array.from({ length: n }, (_, i) => i).filter(i => i < edge || i >= n - edge)
  const word = (value: number | string) =>
    typeof value === 'string'
      ? JSON.stringify(value)
      : dtype === 'bool'
        ? String(value === 1)
        : dtype === 'float32'
          ? String(parseFloat(value.toPrecision(5)))
          : String(value)
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1))
  const words = (axis: number, at: number): string[] =>
    axis === shape.length ? [word(values[at])] : places(shape[axis]).flatMap(i => words(axis + 1, at + i * strides[axis]))
  const width = Math.max(0, ...words(0, 0).map(text => text.length))
  const nested = (axis: number, at: number): string => {
    if (axis === shape.length) return shape.length ? word(values[at]).padStart(width) : word(values[at])
    const parts = places(shape[axis]).map(i => nested(axis + 1, at + i * strides[axis]))
    if (parts.length < shape[axis]) parts.splice(edge, 0, '…')
    return `[${parts.join(axis === shape.length - 1 ? ', ' : `,${'\n'.repeat(shape.length - axis - 1)}${' '.repeat(axis + 1)}`)}]`
  }
  return nested(0, 0)
}

export const tensorBundle = (tensor: Tensor): MimeBundle => showable({ 'text/plain': tensorText(tensor) })

/** Whether a tensor looks like one picture: `[height, width, 1 | 3 | 4]`. */
export const isPicture = (tensor: Tensor): boolean =>
  tensor.rank === 3 && [1, 3, 4].includes(tensor.shape[2]!) && tensor.shape[0] > 1 && tensor.shape[1]! > 1

/**
 * A tensor `[height, width, channels]` as a picture. Integers are taken as 0 to 255, other values as 0 to 1 or, where some are
 * negative, -1 to 1; a tensor beyond these is stretched from its lowest to its highest value, and says so.
 */
export async function pictureBundle(tensor: Tensor): Promise<MimeBundle> {
  const [height, width, channels] = tensor.shape as [number, number, number]
  const values = await tensor.data()
  let low = Infinity
  let high = -Infinity
  for (const value of values as Float32Array) {
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  if (!Number.isFinite(low + high))
    throw new GraftError(`show: this ${height} × ${width} tensor holds values that are not finite numbers, so it is no picture.`)
  const [from, to] =
    tensor.dtype === 'int32' && low >= 0 && high <= 255
      ? [0, 255]
      : low >= 0 && high <= 1
        ? [0, 1]
        : low >= -1 && high <= 1
          ? [-1, 1]
          : low >= 0 && high <= 255 && high > 2
            ? [0, 255]
            : [low, high]
  const data = Uint8Array.from(values as ArrayLike<number>, value => Math.round(((value - from) / (to - from || 1)) * 255))
  const scale = Math.max(1, Math.min(8, Math.floor(256 / Math.max(height, width))))
  const w = Math.min(width * scale, 640)
  const h = Math.round((w * height) / width)
  const stretched = from === low && to === high && high > 1 ? ', stretched' : ''
  const held = `${tensor.dtype} values ${round(low)} to ${round(high)}${stretched}`
  const words = `Picture of ${width} × ${height} pixels, ${plural(channels, 'channel')}, ${held}`
  const href = await thumbnail({ data, width, height, channels }, 2 * Math.max(w, h), scale > 2)
  return figure(`<svg width="${w}" height="${h}"><image width="${w}" height="${h}" href="${href}"/></svg>`, {
    alt: words,
    text: words,
  })
}

const round = (value: number) => parseFloat(value.toPrecision(4))
