import { at } from './memory.as'

/** dx = dy where low < y < high, else 0: the gradient of a clipped linear unit, from its output. */
export function clipGradient(dx: usize, y: usize, dy: usize, count: i32, low: f32, high: f32): void {
  const lows = f32x4.splat(low), highs = f32x4.splat(high)
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const value = v128.load(at(y, i))
    const open = v128.and(f32x4.gt(value, lows), f32x4.lt(value, highs))
    v128.store(at(dx, i), v128.and(v128.load(at(dy, i)), open))
  }
  for (; i < count; i++) {
    const value = load<f32>(at(y, i))
    store<f32>(at(dx, i), value > low && value < high ? load<f32>(at(dy, i)) : 0)
  }
}
