// Gradients of a depthwise convolution, NHWC, filters [kh, kw, c, q]. A channel multiplier q > 1 is brought back to q = 1 by
// repeating each input channel q times, one image at a time: output channel c·q + i then has its own input channel.

import { at, clear } from './memory.as'

/** Floats of scratch memory that the depthwise kernels need: one image with its channels repeated, if they are. */
export function depthwiseScratch(h: i32, w: i32, c: i32, q: i32): i32 {
  return q == 1 ? 0 : h * w * c * q
}

function repeatChannels(to: usize, from: usize, count: i32, q: i32): void {
  for (let i = 0; i < count; i++) {
    const value = load<f32>(at(from, i))
    for (let r = 0; r < q; r++) {
      store<f32>(to, value)
      to += 4
    }
  }
}

function sumRepeated(to: usize, from: usize, count: i32, q: i32): void {
  for (let i = 0; i < count; i++) {
    let sum: f32 = 0
    for (let r = 0; r < q; r++) {
      sum += load<f32>(from)
      from += 4
    }
    store<f32>(at(to, i), sum)
  }
}

/** The first output column whose tap lies in the image: the smallest ox ≥ 0 with ox·stride + shift ≥ 0. */
// @ts-ignore: decorator
@inline
function firstColumn(shift: i32, stride: i32): i32 {
  return shift >= 0 ? 0 : (stride - 1 - shift) / stride
}

/** One more than the last such column: the count of ox < ow with ox·stride + shift < w. */
// @ts-ignore: decorator
@inline
function endColumn(shift: i32, stride: i32, w: i32, ow: i32): i32 {
  const end = w - shift <= 0 ? 0 : (w - shift + stride - 1) / stride
  return end < ow ? end : ow
}

/** df[c] += Σ x·dy along one line of the image, for every channel: sixteen channels at a time, then four, then one. */
function lineFilterGradient(df: usize, x: usize, xStep: i32, dy: usize, count: i32, channels: i32): void {
  let c = 0
  for (; c + 16 <= channels; c += 16) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    let px = at(x, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      s0 = f32x4.add(s0, f32x4.mul(v128.load(px), v128.load(pd)))
      s1 = f32x4.add(s1, f32x4.mul(v128.load(px, 16), v128.load(pd, 16)))
      s2 = f32x4.add(s2, f32x4.mul(v128.load(px, 32), v128.load(pd, 32)))
      s3 = f32x4.add(s3, f32x4.mul(v128.load(px, 48), v128.load(pd, 48)))
      px = at(px, xStep)
      pd = at(pd, channels)
    }
    const to = at(df, c)
    v128.store(to, f32x4.add(v128.load(to), s0))
    v128.store(to, f32x4.add(v128.load(to, 16), s1), 16)
    v128.store(to, f32x4.add(v128.load(to, 32), s2), 32)
    v128.store(to, f32x4.add(v128.load(to, 48), s3), 48)
  }
  for (; c + 4 <= channels; c += 4) {
    let sum = f32x4.splat(0)
    let px = at(x, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(px), v128.load(pd)))
      px = at(px, xStep)
      pd = at(pd, channels)
    }
    v128.store(at(df, c), f32x4.add(v128.load(at(df, c)), sum))
  }
  for (; c < channels; c++) {
    let sum: f32 = 0
    let px = at(x, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      sum += load<f32>(px) * load<f32>(pd)
      px = at(px, xStep)
      pd = at(pd, channels)
    }
    store<f32>(at(df, c), load<f32>(at(df, c)) + sum)
  }
}

/** dx += dy·f along one line of the image, for every channel. */
function lineInputGradient(dx: usize, xStep: i32, f: usize, dy: usize, count: i32, channels: i32): void {
  let c = 0
  for (; c + 16 <= channels; c += 16) {
    const from = at(f, c)
    const f0 = v128.load(from), f1 = v128.load(from, 16), f2 = v128.load(from, 32), f3 = v128.load(from, 48)
    let px = at(dx, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      v128.store(px, f32x4.add(v128.load(px), f32x4.mul(v128.load(pd), f0)))
      v128.store(px, f32x4.add(v128.load(px, 16), f32x4.mul(v128.load(pd, 16), f1)), 16)
      v128.store(px, f32x4.add(v128.load(px, 32), f32x4.mul(v128.load(pd, 32), f2)), 32)
      v128.store(px, f32x4.add(v128.load(px, 48), f32x4.mul(v128.load(pd, 48), f3)), 48)
      px = at(px, xStep)
      pd = at(pd, channels)
    }
  }
  for (; c + 4 <= channels; c += 4) {
    const f0 = v128.load(at(f, c))
    let px = at(dx, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      v128.store(px, f32x4.add(v128.load(px), f32x4.mul(v128.load(pd), f0)))
      px = at(px, xStep)
      pd = at(pd, channels)
    }
  }
  for (; c < channels; c++) {
    const f0 = load<f32>(at(f, c))
    let px = at(dx, c), pd = at(dy, c)
    for (let i = 0; i < count; i++) {
      store<f32>(px, load<f32>(px) + load<f32>(pd) * f0)
      px = at(px, xStep)
      pd = at(pd, channels)
    }
  }
}

/** One image: the filter's gradient is added to `grad` (`toFilter`), or the image's to `image`. */
function image(
  toFilter: bool, grad: usize, pixels: usize, dy: usize, h: i32, w: i32, channels: i32, oh: i32, ow: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32,
): void {
  for (let oy = 0; oy < oh; oy++) {
    for (let fy = 0; fy < kh; fy++) {
      const y = oy * sh + fy * dh - top
      if (<u32>y >= <u32>h) continue
      for (let fx = 0; fx < kw; fx++) {
        const shift = fx * dw - left
        const first = firstColumn(shift, sw), count = endColumn(shift, sw, w, ow) - first
        if (count <= 0) continue
        const tap = at(grad, (fy * kw + fx) * channels)
        const x = at(pixels, (y * w + first * sw + shift) * channels), d = at(dy, (oy * ow + first) * channels)
        if (toFilter) lineFilterGradient(tap, x, sw * channels, d, count, channels)
        else lineInputGradient(x, sw * channels, tap, d, count, channels)
      }
    }
  }
}

/** dFilter [kh, kw, c, q] = Σ over images and positions of x·dy. */
export function depthwiseFilterGradient(
  df: usize, x: usize, dy: usize, n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32, q: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32, scratch: usize,
): void {
  const channels = c * q
  clear(df, kh * kw * channels)
  for (let i = 0; i < n; i++) {
    let pixels = at(x, i * h * w * c)
    if (q > 1) {
      repeatChannels(scratch, pixels, h * w * c, q)
      pixels = scratch
    }
    image(true, df, pixels, at(dy, i * oh * ow * channels), h, w, channels, oh, ow, kh, kw, sh, sw, dh, dw, top, left)
  }
}

/** dx [n, h, w, c]: each dy times the filter, added where its taps lie. */
export function depthwiseInputGradient(
  dx: usize, f: usize, dy: usize, n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32, q: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32, scratch: usize,
): void {
  const channels = c * q
  for (let i = 0; i < n; i++) {
    const to = at(dx, i * h * w * c), pixels = q > 1 ? scratch : to
    clear(pixels, h * w * channels)
    image(false, f, pixels, at(dy, i * oh * ow * channels), h, w, channels, oh, ow, kh, kw, sh, sw, dh, dw, top, left)
    if (q > 1) sumRepeated(to, scratch, h * w * c, q)
  }
}
