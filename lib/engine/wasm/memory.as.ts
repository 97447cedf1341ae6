// Addresses are in bytes, all counts and strides in floats.

// @ts-ignore: decorator
@inline
export function min(a: i32, b: i32): i32 {
  return a < b ? a : b
}

/** The address of the float `index` after `base`; tensors may lie above 2 GiB, so the address is unsigned. */
// @ts-ignore: decorator
@inline
export function at(base: usize, index: i32): usize {
  return base + (<usize>index << 2)
}

/** Copies `count` floats. */
// @ts-ignore: decorator
@inline
export function copy(to: usize, from: usize, count: i32): void {
  let i = 0
  for (; i + 4 <= count; i += 4) v128.store(at(to, i), v128.load(at(from, i)))
  for (; i < count; i++) store<f32>(at(to, i), load<f32>(at(from, i)))
}

/** Adds `count` floats to those at `to`. */
// @ts-ignore: decorator
@inline
export function accumulate(to: usize, from: usize, count: i32): void {
  let i = 0
  for (; i + 4 <= count; i += 4) v128.store(at(to, i), f32x4.add(v128.load(at(to, i)), v128.load(at(from, i))))
  for (; i < count; i++) store<f32>(at(to, i), load<f32>(at(to, i)) + load<f32>(at(from, i)))
}

/** Writes `count` zeros. */
// @ts-ignore: decorator
@inline
export function clear(to: usize, count: i32): void {
  memory.fill(to, 0, <usize>count << 2)
}
