// C (+)= A · B in single precision, in the manner of BLIS (Van Zee and van de Geijn, 2015): panels of A and B are packed so that
// the inner loop reads both in order. A is m × k with A(i, p) at a + 4·(i·aRow + p·aCol), B is k × n likewise, C is m × n with rows
// `cRow` apart. Multiplications and additions are not fused: the result is the same on every machine, to the bit.

import { at, min } from './memory.as'

/** A panel is so many rows of A, or columns of B, wide: one SIMD vector. */
const PANEL: i32 = 4
const MC: i32 = 96
const KC: i32 = 256
const NC: i32 = 512

/** Floats of scratch memory that `gemm` needs: packed A, packed B, one tile. */
export const GEMM_SCRATCH: i32 = MC * KC + NC * KC + 32

/**
 * Packs `count` lines of length `depth` (rows of A or columns of B) as panels of four lines, depth-major; lines up to `filled` are
 * zeros. Neighbouring lines are `across` apart, neighbours in a line `along`.
 */
function pack(to: usize, from: usize, across: i32, along: i32, count: i32, filled: i32, depth: i32): void {
  for (let i = 0; i < filled; i += PANEL) {
    const left = min(PANEL, count - i)
    let p = at(from, i * across)
    if (left == PANEL && across == 1) {
      for (let k = 0; k < depth; k++) {
        v128.store(to, v128.load(p))
        p = at(p, along)
        to += 16
      }
    } else if (left == PANEL && along == 1) {
      to = packTransposed(to, p, across, depth)
    } else {
      for (let k = 0; k < depth; k++) {
        for (let r = 0; r < PANEL; r++) store<f32>(at(to, r), r < left ? load<f32>(at(p, r * across)) : 0)
        p = at(p, along)
        to += 16
      }
    }
  }
}

/** One panel from four lines that lie in order in memory; returns where the panel ends. */
function packTransposed(to: usize, p0: usize, across: i32, depth: i32): usize {
  let p1 = at(p0, across), p2 = at(p1, across), p3 = at(p2, across)
  let k = 0
  for (; k + 4 <= depth; k += 4) {
    const r0 = v128.load(p0), r1 = v128.load(p1), r2 = v128.load(p2), r3 = v128.load(p3)
    const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
    const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    v128.store(to, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
    v128.store(to, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7), 16)
    v128.store(to, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5), 32)
    v128.store(to, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7), 48)
    p0 += 16; p1 += 16; p2 += 16; p3 += 16; to += 64
  }
  for (; k < depth; k++) {
    store<f32>(to, load<f32>(p0))
    store<f32>(to, load<f32>(p1), 4)
    store<f32>(to, load<f32>(p2), 8)
    store<f32>(to, load<f32>(p3), 12)
    p0 += 4; p1 += 4; p2 += 4; p3 += 4; to += 16
  }
  return to
}

// @ts-ignore: decorator
@inline
function madd(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b))
}

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, add: bool): void {
  v128.store(to, add ? f32x4.add(v128.load(to), value) : value)
}

/** A 4 × 8 tile of C from one panel of A and two of B. */
function tile(c: usize, cRow: i32, a: usize, b: usize, depth: i32, add: bool): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  let b1 = at(b, PANEL * depth)
  for (let k = 0; k < depth; k++) {
    const left = v128.load(b), right = v128.load(b1)
    let row = v128.load32_splat(a)
    c00 = madd(c00, row, left); c01 = madd(c01, row, right)
    row = v128.load32_splat(a, 4)
    c10 = madd(c10, row, left); c11 = madd(c11, row, right)
    row = v128.load32_splat(a, 8)
    c20 = madd(c20, row, left); c21 = madd(c21, row, right)
    row = v128.load32_splat(a, 12)
    c30 = madd(c30, row, left); c31 = madd(c31, row, right)
    a += 16; b += 16; b1 += 16
  }
  put(c, c00, add); put(c + 16, c01, add)
  c = at(c, cRow)
  put(c, c10, add); put(c + 16, c11, add)
  c = at(c, cRow)
  put(c, c20, add); put(c + 16, c21, add)
  c = at(c, cRow)
  put(c, c30, add); put(c + 16, c31, add)
}

/** A tile at the edge of C, `tall` × `wide`, by way of a whole one. */
function edgeTile(c: usize, cRow: i32, a: usize, b: usize, depth: i32, add: bool, tall: i32, wide: i32, spare: usize): void {
  tile(spare, 8, a, b, depth, false)
  for (let i = 0; i < tall; i++) {
    for (let j = 0; j < wide; j++) {
      const cell = at(c, i * cRow + j), value = load<f32>(at(spare, i * 8 + j))
      store<f32>(cell, add ? load<f32>(cell) + value : value)
    }
  }
}

/** C = A · B, or C += A · B where `add`. */
export function gemm(
  c: usize, cRow: i32, a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32,
  m: i32, n: i32, k: i32, add: bool, scratch: usize,
): void {
  const panelsA = scratch, panelsB = at(panelsA, MC * KC), spare = at(panelsB, KC * NC)
  for (let j = 0; j < n; j += NC) {
    const columns = min(NC, n - j)
    for (let p = 0; p < k; p += KC) {
      const depth = min(KC, k - p), sum = add || p > 0
      pack(panelsB, at(b, p * bRow + j * bCol), bCol, bRow, columns, (columns + 7) & ~7, depth)
      for (let i = 0; i < m; i += MC) {
        const rows = min(MC, m - i)
        pack(panelsA, at(a, i * aRow + p * aCol), aRow, aCol, rows, rows, depth)
        for (let jj = 0; jj < columns; jj += 8) {
          for (let ii = 0; ii < rows; ii += 4) {
            const to = at(c, (i + ii) * cRow + j + jj)
            const pa = at(panelsA, ii * depth), pb = at(panelsB, jj * depth)
            const tall = min(4, rows - ii), wide = min(8, columns - jj)
            if (tall == 4 && wide == 8) tile(to, cRow, pa, pb, depth, sum)
            else edgeTile(to, cRow, pa, pb, depth, sum, tall, wide, spare)
          }
        }
      }
    }
  }
}
