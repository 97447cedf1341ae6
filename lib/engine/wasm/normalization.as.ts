// Batch normalization over the rows of x [rows, channels], and its gradient, in two passes each (Ioffe and Szegedy, 2015). Sums run
// in single precision over a block of rows and in double precision over the blocks.

import { at, clear, min } from './memory.as'

const ROWS: i32 = 128

/** Floats of scratch memory that the kernels need: two double-precision sums, and two floats, for each channel. */
export function normalizationScratch(channels: i32): i32 {
  return channels * 6 + 4
}

// @ts-ignore: decorator
@inline
function grow(to: usize, channel: i32, sum: v128): void {
  const cell = to + (<usize>channel << 3)
  v128.store(cell, f64x2.add(v128.load(cell), f64x2.promote_low_f32x4(sum)))
  const high = v128.shuffle<f32>(sum, sum, 2, 3, 2, 3)
  v128.store(cell, f64x2.add(v128.load(cell, 16), f64x2.promote_low_f32x4(high)), 16)
}

// @ts-ignore: decorator
@inline
function growOne(to: usize, channel: i32, sum: f32): void {
  const cell = to + (<usize>channel << 3)
  store<f64>(cell, load<f64>(cell) + <f64>sum)
}

/** sum[c] += Σ x over the rows; where `center` is an address, sum[c] += Σ (x − center[c])². */
export function addRows(sum: usize, x: usize, center: usize, rows: i32, channels: i32): void {
  for (let r = 0; r < rows; r += ROWS) {
    const block = at(x, r * channels), count = min(ROWS, rows - r)
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const middle = center ? v128.load(at(center, c)) : f32x4.splat(0)
      let total = f32x4.splat(0), p = at(block, c)
      for (let i = 0; i < count; i++) {
        let value = v128.load(p)
        if (center) {
          value = f32x4.sub(value, middle)
          value = f32x4.mul(value, value)
        }
        total = f32x4.add(total, value)
        p = at(p, channels)
      }
      grow(sum, c, total)
    }
    for (; c < channels; c++) {
      const middle = center ? load<f32>(at(center, c)) : 0
      let total: f32 = 0, p = at(block, c)
      for (let i = 0; i < count; i++) {
        let value = load<f32>(p)
        if (center) value = (value - middle) * (value - middle)
        total += value
        p = at(p, channels)
      }
      growOne(sum, c, total)
    }
  }
}

/**
 * y = (x − mean)·gamma/√(variance + epsilon) + beta with the batch's own mean and (biased) variance, which are given back.
 * `beta` may be 0: zero then.
 */
export function normalize(
  y: usize, mean: usize, variance: usize, x: usize, gamma: usize, beta: usize, rows: i32, channels: i32, epsilon: f32, scratch: usize,
): void {
  const sum = (scratch + 15) & ~15, scale = sum + (<usize>channels << 4)
  for (let moment = 0; moment < 2; moment++) {
    clear(sum, channels * 2)
    addRows(sum, x, moment ? mean : 0, rows, channels)
    const to = moment ? variance : mean
    for (let c = 0; c < channels; c++) store<f32>(at(to, c), <f32>(load<f64>(sum + (<usize>c << 3)) / <f64>rows))
  }
  for (let c = 0; c < channels; c++) {
    const g = load<f32>(at(gamma, c))
    store<f32>(at(scale, c), g / sqrt<f32>(load<f32>(at(variance, c)) + epsilon))
  }
  for (let r = 0; r < rows; r++) {
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const value = f32x4.mul(f32x4.sub(v128.load(at(x, c)), v128.load(at(mean, c))), v128.load(at(scale, c)))
      v128.store(at(y, c), beta ? f32x4.add(value, v128.load(at(beta, c))) : value)
    }
    for (; c < channels; c++) {
      const value = (load<f32>(at(x, c)) - load<f32>(at(mean, c))) * load<f32>(at(scale, c))
      store<f32>(at(y, c), beta ? value + load<f32>(at(beta, c)) : value)
    }
    x = at(x, channels)
    y = at(y, channels)
  }
}

/** sums[c] += Σ dy and, in the second half, Σ dy·(x − mean[c]). */
function addGradientRows(sums: usize, dy: usize, x: usize, mean: usize, rows: i32, channels: i32): void {
  const products = sums + (<usize>channels << 3)
  for (let r = 0; r < rows; r += ROWS) {
    const block = r * channels, count = min(ROWS, rows - r)
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const middle = v128.load(at(mean, c))
      let total = f32x4.splat(0), product = total, p = at(x, block + c), d = at(dy, block + c)
      for (let i = 0; i < count; i++) {
        const value = v128.load(d)
        total = f32x4.add(total, value)
        product = f32x4.add(product, f32x4.mul(value, f32x4.sub(v128.load(p), middle)))
        p = at(p, channels)
        d = at(d, channels)
      }
      grow(sums, c, total)
      grow(products, c, product)
    }
    for (; c < channels; c++) {
      const middle = load<f32>(at(mean, c))
      let total: f32 = 0, product: f32 = 0, p = at(x, block + c), d = at(dy, block + c)
      for (let i = 0; i < count; i++) {
        const value = load<f32>(d)
        total += value
        product += value * (load<f32>(p) - middle)
        p = at(p, channels)
        d = at(d, channels)
      }
      growOne(sums, c, total)
      growOne(products, c, product)
    }
  }
}

/**
 * The gradients of {@link normalize}: with s = gamma/√(variance + epsilon) and x̂ the normalized x,
 * dx = s·(dy − mean(dy) − x̂·mean(dy·x̂)), dgamma = Σ dy·x̂, dbeta = Σ dy.
 */
export function normalizeGradient(
  dx: usize, dgamma: usize, dbeta: usize, dy: usize, x: usize, mean: usize, variance: usize, gamma: usize,
  rows: i32, channels: i32, epsilon: f32, scratch: usize,
): void {
  const sums = (scratch + 15) & ~15, products = sums + (<usize>channels << 3)
  // dx = byDy·dy + byX·(x − mean) + shift, for each channel; `byDy` takes the place of the sums once they are used.
  const byX = sums + (<usize>channels << 4), shift = at(byX, channels), byDy = sums
  clear(sums, channels * 4)
  addGradientRows(sums, dy, x, mean, rows, channels)
  for (let c = 0; c < channels; c++) {
    const inverse = 1 / sqrt<f64>(<f64>load<f32>(at(variance, c)) + <f64>epsilon)
    const total = load<f64>(sums + (<usize>c << 3)), product = load<f64>(products + (<usize>c << 3)) * inverse
    const s = inverse * <f64>load<f32>(at(gamma, c))
    store<f32>(at(dgamma, c), <f32>product)
    store<f32>(at(dbeta, c), <f32>total)
    store<f32>(at(byX, c), <f32>(-s * inverse * product / <f64>rows))
    store<f32>(at(shift, c), <f32>(-s * total / <f64>rows))
    store<f32>(at(byDy, c), <f32>s)
  }
  for (let r = 0; r < rows; r++) {
    let c = 0
    for (; c + 4 <= channels; c += 4) {
      const centered = f32x4.sub(v128.load(at(x, c)), v128.load(at(mean, c)))
      const fromX = f32x4.add(f32x4.mul(centered, v128.load(at(byX, c))), v128.load(at(shift, c)))
      v128.store(at(dx, c), f32x4.add(f32x4.mul(v128.load(at(dy, c)), v128.load(at(byDy, c))), fromX))
    }
    for (; c < channels; c++) {
      const centered = load<f32>(at(x, c)) - load<f32>(at(mean, c))
      const fromX = centered * load<f32>(at(byX, c)) + load<f32>(at(shift, c))
      store<f32>(at(dx, c), load<f32>(at(dy, c)) * load<f32>(at(byDy, c)) + fromX)
    }
    x = at(x, channels)
    dy = at(dy, channels)
    dx = at(dx, channels)
  }
}
