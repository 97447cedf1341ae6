// Gradients of a 2-D convolution, NHWC: matrix products over patches of the image ("im2col"), a block of output pixels at a time.
// Filters are [kh, kw, ci, co]; a patch is kh·kw·ci floats in the filter's order.

import { gemm, GEMM_SCRATCH } from './gemm.as'
import { accumulate, at, clear, copy, min } from './memory.as'

/** Output pixels whose patches are unrolled at once. */
const BLOCK: i32 = 256

/** Floats of scratch memory that the convolution kernels need. */
export function convolutionScratch(patch: i32): i32 {
  return GEMM_SCRATCH + BLOCK * patch
}

/** Unrolls (`back` = false) the patches of output pixels `first` … `first + count`, or adds them back to the image. */
function patches(
  cols: usize, image: usize, back: bool, first: i32, count: i32, h: i32, w: i32, ci: i32, oh: i32, ow: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32,
): void {
  for (let p = first; p < first + count; p++) {
    const ox = p % ow, row = p / ow, oy = row % oh, n = row / oh
    const x0 = ox * sw - left
    for (let fy = 0; fy < kh; fy++) {
      const y = oy * sh + fy * dh - top
      if (<u32>y >= <u32>h) {
        if (!back) clear(cols, kw * ci)
        cols = at(cols, kw * ci)
        continue
      }
      const line = at(image, (n * h + y) * w * ci)
      if (dw == 1 && x0 >= 0 && x0 + kw <= w) {
        if (back) accumulate(at(line, x0 * ci), cols, kw * ci)
        else copy(cols, at(line, x0 * ci), kw * ci)
        cols = at(cols, kw * ci)
        continue
      }
      for (let fx = 0; fx < kw; fx++) {
        const x = x0 + fx * dw
        if (<u32>x >= <u32>w) {
          if (!back) clear(cols, ci)
        } else if (back) {
          accumulate(at(line, x * ci), cols, ci)
        } else {
          copy(cols, at(line, x * ci), ci)
        }
        cols = at(cols, ci)
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function pointwise(h: i32, w: i32, oh: i32, ow: i32, kh: i32, kw: i32, sh: i32, sw: i32, top: i32, left: i32): bool {
  return kh == 1 && kw == 1 && sh == 1 && sw == 1 && top == 0 && left == 0 && oh == h && ow == w
}

/** dFilter [kh, kw, ci, co] = patches(x)ᵀ · dy. */
export function convolutionFilterGradient(
  df: usize, x: usize, dy: usize, n: i32, h: i32, w: i32, ci: i32, oh: i32, ow: i32, co: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32, scratch: usize,
): void {
  const pixels = n * oh * ow, patch = kh * kw * ci
  if (pointwise(h, w, oh, ow, kh, kw, sh, sw, top, left)) {
    gemm(df, co, x, 1, ci, dy, co, 1, ci, co, pixels, false, scratch)
    return
  }
  const cols = at(scratch, GEMM_SCRATCH)
  for (let p = 0; p < pixels; p += BLOCK) {
    const count = min(BLOCK, pixels - p)
    patches(cols, x, false, p, count, h, w, ci, oh, ow, kh, kw, sh, sw, dh, dw, top, left)
    gemm(df, co, cols, 1, patch, at(dy, p * co), co, 1, patch, co, count, p > 0, scratch)
  }
}

/** dx [n, h, w, ci]: dy · filterᵀ, each patch added back where it was taken from. */
export function convolutionInputGradient(
  dx: usize, f: usize, dy: usize, n: i32, h: i32, w: i32, ci: i32, oh: i32, ow: i32, co: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32, scratch: usize,
): void {
  const pixels = n * oh * ow, patch = kh * kw * ci
  if (pointwise(h, w, oh, ow, kh, kw, sh, sw, top, left)) {
    gemm(dx, ci, dy, co, 1, f, 1, co, pixels, ci, co, false, scratch)
    return
  }
  const cols = at(scratch, GEMM_SCRATCH)
  clear(dx, n * h * w * ci)
  for (let p = 0; p < pixels; p += BLOCK) {
    const count = min(BLOCK, pixels - p)
    gemm(cols, patch, at(dy, p * co), co, 1, f, 1, co, count, patch, co, false, scratch)
    patches(cols, dx, true, p, count, h, w, ci, oh, ow, kh, kw, sh, sw, dh, dw, top, left)
  }
}
