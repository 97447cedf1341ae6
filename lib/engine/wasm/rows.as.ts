import { at, clear, copy } from './memory.as'
import { addRows } from './normalization.as'

/** Copies `rows` rows of `length` floats between places where they are `toStep` and `fromStep` floats apart. */
export function copyRows(to: usize, toStep: i32, from: usize, fromStep: i32, rows: i32, length: i32): void {
  if (length > 64) {
    for (let r = 0; r < rows; r++) memory.copy(at(to, r * toStep), at(from, r * fromStep), <usize>length << 2)
  } else {
    for (let r = 0; r < rows; r++) copy(at(to, r * toStep), at(from, r * fromStep), length)
  }
}

/** y[o, c] = Σ over r of x[o, r, c]. */
export function sumRows(y: usize, x: usize, outer: i32, rows: i32, channels: i32, scratch: usize): void {
  const sum = (scratch + 15) & ~15
  for (let o = 0; o < outer; o++) {
    clear(sum, channels * 2)
    addRows(sum, at(x, o * rows * channels), 0, rows, channels)
    for (let c = 0; c < channels; c++) store<f32>(at(y, o * channels + c), <f32>load<f64>(sum + (<usize>c << 3)))
  }
}
