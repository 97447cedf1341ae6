import { randomFrom, shuffled } from '../data/random.ts'

/** How well a linear classifier tells the classes apart, each image judged by one that never saw it. */
export interface Probe {
  /** Images it was measured on. */
  images: number
  accuracy: number
  /** The standard error of the accuracy, by the number of images alone. */
  error: number
}

/**
 * The accuracy of a linear classifier on features: ridge regression to the classes, judged leave-one-out. That needs no
 * second training: what an image's own prediction would be without it follows from the one solution. The strongest of a few
 * penalties counts.
 *
 * Source: Allen, "The relationship between variable selection and data augmentation and a method for prediction" (1974), the
 * PRESS statistic.
 *
 * @param features one vector per image
 * @param labels the class of each, from 0
 */
export function probe(features: Float32Array[], labels: ArrayLike<number>): Probe {
  const n = features.length, classes = Math.max(...Array.from(labels)) + 1, gram = similarities(standardized(features))
  let best = 0
  for (const penalty of [0.01, 0.1, 1, 10]) {
    const inverse = inverseOf(gram.map((row, i) => row.map((value, j) => i === j ? value + penalty : value)))
    let right = 0
    for (let i = 0; i < n; i++) {
      const weights = new Float64Array(classes)
      for (let j = 0; j < n; j++) weights[labels[j]] += inverse[i][j]
      const scores = Array.from(weights, (weight, c) => (labels[i] === c ? 1 : 0) - weight / inverse[i][i])
      if (scores.indexOf(Math.max(...scores)) === labels[i]) right++
    }
    best = Math.max(best, right / n)
  }
  return { images: n, accuracy: best, error: Math.sqrt(best * (1 - best) / n) }
}

/** Up to `most` images, as many of each class as there are, drawn at random but always the same. */
export function sample(labels: ArrayLike<number>, most: number): number[] {
  const byClass = new Map<number, number[]>()
  for (const i of shuffled(Array.from({ length: labels.length }, (_, i) => i), randomFrom('sample'))) {
    byClass.set(labels[i], [...byClass.get(labels[i]) ?? [], i])
  }
  const chosen: number[] = []
  for (let round = 0; chosen.length < Math.min(most, labels.length); round++) {
    for (const some of byClass.values()) if (round < some.length && chosen.length < most) chosen.push(some[round])
  }
  return chosen
}

/** Each number over all images: mean 0, spread 1; what is the same everywhere counts nothing. */
function standardized(features: Float32Array[]): Float32Array[] {
  const size = features[0].length, n = features.length, result = features.map(() => new Float32Array(size))
  for (let d = 0; d < size; d++) {
    const mean = features.reduce((sum, row) => sum + row[d], 0) / n
    const spread = Math.sqrt(features.reduce((sum, row) => sum + (row[d] - mean) ** 2, 0) / n)
    if (spread > 1e-6) features.forEach((row, i) => { result[i][d] = (row[d] - mean) / spread })
  }
  return result
}

/**
 * The mean product of each two images' features, and one more for the intercept: without it, what is left out would show in the
 * mean of the rest.
 */
function similarities(rows: Float32Array[]): number[][] {
  const result = rows.map(() => new Array<number>(rows.length))
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0
      for (let d = 0; d < rows[i].length; d++) sum += rows[i][d] * rows[j][d]
      result[i][j] = result[j][i] = sum / rows[i].length + 1
    }
  }
  return result
}

/** The inverse of a symmetric, positive definite matrix, by Gauss and Jordan. */
function inverseOf(matrix: number[][]): Float64Array[] {
  const n = matrix.length, rows = matrix.map((row, i) => {
    const wide = new Float64Array(2 * n)
    wide.set(row)
    wide[n + i] = 1
    return wide
  })
  for (let k = 0; k < n; k++) {
    const pivot = rows[k], by = 1 / pivot[k]
    // Right of the diagonal and left of what the unit matrix has become so far; the rest is zero.
    for (let j = k; j <= n + k; j++) pivot[j] *= by
    for (let i = 0; i < n; i++) {
      const factor = rows[i][k]
      if (i === k || factor === 0) continue
      for (let j = k; j <= n + k; j++) rows[i][j] -= factor * pivot[j]
    }
  }
  return rows.map(row => row.slice(n))
}
