// What is done to every pixel of a picture. Compiled by lib/engine/wasm/build.js. Addresses are in bytes.

/** Up to four channels of the pixel at an address. */
// @ts-ignore: decorator
@inline
function pixel(at: usize): v128 {
  return f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at))))
}

// @ts-ignore: decorator
@inline
function between(a: v128, b: v128, part: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), part))
}

/**
 * One row of a picture, each pixel mixed of two in the row above and two in the row below. `left` and `right` hold where in a row
 * the two are, `across` how far it is from the one to the other; `down` tells how far it is to the row below. Up to three bytes
 * behind the last pixel are overwritten.
 */
export function mixRow(
  out: usize, above: usize, below: usize, left: usize, right: usize, across: usize, width: i32, channels: i32, down: f32,
): void {
  const parts = f32x4.splat(down), half = f32x4.splat(0.5)
  for (let x = 0; x < width; x++, left += 4, right += 4, across += 4, out += channels) {
    const l = <usize>load<u32>(left), r = <usize>load<u32>(right), part = v128.load32_splat(across)
    const first = between(pixel(above + l), pixel(above + r), part), second = between(pixel(below + l), pixel(below + r), part)
    const mixed = between(first, second, parts)
    const whole = i32x4.trunc_sat_f32x4_s(f32x4.add(mixed, half)), words = i16x8.narrow_i32x4_s(whole, whole)
    store<u32>(out, i32x4.extract_lane(i8x16.narrow_i16x8_u(words, words), 0))
  }
}

/** The value of each byte in a table of floats. Unless `count` is a multiple of 4, up to three values behind are overwritten. */
export function lookUp(out: usize, bytes: usize, table: usize, count: i32): void {
  for (let i = 0; i < count; i += 4, bytes += 4, out += 16) {
    const four = load<u32>(bytes)
    store<f32>(out, load<f32>(table + ((four & 255) << 2)))
    store<f32>(out, load<f32>(table + ((four >> 8 & 255) << 2)), 4)
    store<f32>(out, load<f32>(table + ((four >> 16 & 255) << 2)), 8)
    store<f32>(out, load<f32>(table + ((four >> 24) << 2)), 12)
  }
}
