import { at, clear } from './memory.as'

/** dx [n, h, w, c]: each dy goes to the first largest x of its window. */
export function maxPoolGradient(
  dx: usize, x: usize, dy: usize, n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32,
  kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32, left: i32,
): void {
  clear(dx, n * h * w * c)
  for (let p = 0; p < n * oh * ow; p++) {
    const ox = p % ow, row = p / ow, oy = row % oh, base = (row / oh) * h
    const y0 = oy * sh - top, x0 = ox * sw - left
    let k = 0
    for (; k + 4 <= c; k += 4) {
      let best = f32x4.splat(-Infinity), where = i32x4.splat(-1)
      for (let fy = 0; fy < kh; fy++) {
        const py = y0 + fy * dh
        if (<u32>py >= <u32>h) continue
        for (let fx = 0; fx < kw; fx++) {
          const px = x0 + fx * dw
          if (<u32>px >= <u32>w) continue
          const pixel = (base + py) * w + px, value = v128.load(at(x, pixel * c + k))
          const larger = v128.or(f32x4.gt(value, best), i32x4.eq(where, i32x4.splat(-1)))
          best = v128.bitselect(value, best, larger)
          where = v128.bitselect(i32x4.splat(pixel), where, larger)
        }
      }
      const d = v128.load(at(dy, p * c + k))
      give(dx, i32x4.extract_lane(where, 0) * c + k, f32x4.extract_lane(d, 0))
      give(dx, i32x4.extract_lane(where, 1) * c + k + 1, f32x4.extract_lane(d, 1))
      give(dx, i32x4.extract_lane(where, 2) * c + k + 2, f32x4.extract_lane(d, 2))
      give(dx, i32x4.extract_lane(where, 3) * c + k + 3, f32x4.extract_lane(d, 3))
    }
    for (; k < c; k++) {
      let best: f32 = -Infinity, where = -1
      for (let fy = 0; fy < kh; fy++) {
        const py = y0 + fy * dh
        if (<u32>py >= <u32>h) continue
        for (let fx = 0; fx < kw; fx++) {
          const px = x0 + fx * dw
          if (<u32>px >= <u32>w) continue
          const pixel = (base + py) * w + px, value = load<f32>(at(x, pixel * c + k))
          if (value > best || where < 0) {
            best = value
            where = pixel
          }
        }
      }
      give(dx, where * c + k, load<f32>(at(dy, p * c + k)))
    }
  }
}

// @ts-ignore: decorator
@inline
function give(dx: usize, index: i32, value: f32): void {
  store<f32>(at(dx, index), load<f32>(at(dx, index)) + value)
}
