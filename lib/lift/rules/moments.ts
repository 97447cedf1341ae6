import { GroupNormalization } from '../../layers/group-normalization.ts'
import type { DenseTensor } from '../../hub/tensor.ts'
import { tf } from '../../tf.ts'
import { Evaluation, type Extra } from '../evaluate.ts'
import { canFold, tensor } from '../fold.ts'
import type { Node, Value } from '../graph.ts'
import type { Lifting, Rule, Rules, Weights } from '../lifting.ts'
import { sources } from '../region.ts'
import { plain, shortest } from './normalization.ts'

/** A layer's statistics are at most this many operations before its root and its result after it. */
const FURTHEST = 90, LATEST = 40
/** How many pixels of an image are tried. */
const ROWS = 2, COLUMNS = 3
const TOLERANCE = 1e-4

/**
 * Layer and group normalization, recognized by what they compute, as people write them in many ways: whatever lies between a
 * tensor and a later one, with a root of a variance on the way, is computed for a few random pixels. Where the result is the
 * pixels normalized in groups of channels, times one vector plus another, it becomes that layer.
 */
const recognize: Rule = (root, lift) => {
  const still = root.op.startsWith('Fused') && root.attr('is_training').bool === false
  if (still || !lift.flows({ node: root, index: 0 })) return false
  const last = ends(root, lift)
  for (const source of sources(root, lift, canFold, FURTHEST))
    lift.whenKnown(source.node, () => attempt(source, root, last, lift))
  return false
}

export const moments: Rules = { Rsqrt: recognize, Sqrt: recognize, FusedBatchNormV3: recognize }

/** Where the normalization may end: what is computed from `root`, in order. */
function ends(root: Node, lift: Lifting): Node[] {
  const reached = new Set([root])
  for (const node of reached) {
    if (reached.size > LATEST) break
    for (const user of lift.users(node)) if (canFold(user)) reached.add(user)
  }
  return [...reached].sort((a, b) => lift.place(a) - lift.place(b))
}

/** The operations between `source` and `end`; `null` where anything else flows in, or it goes on beyond what is looked at. */
function between(source: Value, end: Node, lift: Lifting): Node[] | null {
  const inside = new Set([end])
  for (const node of inside) {
    for (const input of node.inputs) {
      if (input.node === source.node || !lift.flows(input)) continue
      if (inside.size > FURTHEST || lift.place(input.node) < lift.place(source.node)) return null
      inside.add(input.node)
    }
  }
  const closed = [...inside].every(node => node === end || lift.users(node).every(user => inside.has(user)))
  return closed ? [...inside] : null
}

interface Match { end: Node, inside: Node[], groups: number, epsilon: number, gamma: Value | null, beta: Value | null }

function attempt(source: Value, root: Node, candidates: Node[], lift: Lifting): void {
  const shape = lift.tensorOf(source)?.shape, channels = shape?.at(-1)
  if (!shape || !channels || shape.length < 2) return
  const pixels = sample(shape.map((size, d) => d === 0 ? 2 : d === shape.length - 1 ? size! : d === 1 ? ROWS : COLUMNS))
  const evaluation = new Evaluation([[source.node, [pixels]]], extraOf(shape, pixels.shape))
  const found: Match[] = []
  for (const end of candidates) {
    const inside = between(source, end, lift)
    const result = inside?.includes(root) ? evaluation.at({ node: end, index: 0 }) : null
    if (result?.shape.join() !== pixels.shape.join()) continue
    const matched = match(pixels, result, inside!, lift)
    if (matched) found.push(matched)
  }
  // The longest of those that nothing else has taken: it has the vectors too.
  found.reverse().some(matched => claim(matched, source, root, shape.length, lift))
}

/**
 * Random numbers, the same each time: one image of a variance at which one epsilon is told from another, and one whose values lie
 * beyond where activations bend.
 */
function sample(shape: number[]): DenseTensor {
  let state = 12345
  const next = () => (state = Math.imul(state, 1103515245) + 12345 & 0x7fffffff) / 2 ** 31 - 0.4
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(Float32Array.from({ length: size }, (_, i) => next() * (i < size / 2 ? 0.2 : 20)), shape, 'float32')
}

/** A reshape whose numbers are those of the whole image; and batch normalization by the batch's own statistics. */
const extraOf = (shape: (number | null)[], tried: number[]): Extra => (node, [x, second, ...more]) => {
  if (node.op.startsWith('FusedBatchNorm')) return normalizedBatch(node, x, second, more[0])
  if (node.op !== 'Reshape' || second.shape.length !== 1) return null
  const whole = shape.slice(1, -1).reduce<number>((a, b) => a * (b ?? NaN), 1)
  const swaps = new Map(shape.slice(1, -1).map((size, d) => [`${d + 1}:${size}`, tried[d + 1]]))
  swaps.set(`1:${whole}`, tried.slice(1, -1).reduce((a, b) => a * b, 1))
  const known = Array.from(second.data).filter(d => d > 0).reduce((a, b) => a * b, 1)
  if (x.data.length % known === 0 && (second.data.includes(-1) || known === x.data.length)) return null
  const to = Array.from(second.data, (d, i) => swaps.get(`${i}:${d}`) ?? d)
  const rest = to.filter(d => d > 0).reduce((a, b) => a * b, 1)
  const free = to.indexOf(-1)
  if (free >= 0) to[free] = x.data.length / rest
  return to.every(Number.isInteger) && to.reduce((a, b) => a * b, 1) === x.data.length ? [{ ...x, shape: to }] : null
}

/** The fused operation in training, channels first: what Keras's layer normalization makes use of. */
function normalizedBatch(node: Node, x: DenseTensor, scale: DenseTensor, offset: DenseTensor): DenseTensor[] | null {
  if (node.attr('data_format').text !== 'NCHW') return null
  const [batch, channels] = x.shape, size = x.data.length / batch / channels, epsilon = node.attr('epsilon').float ?? 1e-4
  const out = new Float32Array(x.data.length)
  for (let c = 0; c < channels; c++) {
    const at = Array.from({ length: batch * size }, (_, i) => (Math.floor(i / size) * channels + c) * size + i % size)
    const [mean, variance] = statistics(x.data, at)
    for (const i of at) out[i] = (x.data[i] - mean) / Math.sqrt(variance + epsilon) * scale.data[c] + offset.data[c]
  }
  return [{ dtype: 'float32', shape: x.shape, data: out }]
}

function statistics(data: ArrayLike<number>, at: number[]): [mean: number, variance: number] {
  const mean = at.reduce((sum, i) => sum + data[i], 0) / at.length
  return [mean, at.reduce((sum, i) => sum + (data[i] - mean) ** 2, 0) / at.length]
}

/** Whether `result` is `x` normalized; in how many groups (0: each pixel's channels for themselves), and by which vectors. */
function match(x: DenseTensor, result: DenseTensor, inside: Node[], lift: Lifting): Match | null {
  const channels = x.shape.at(-1)!, constants = inside.flatMap(node => node.inputs).filter(input => !lift.flows(input))
  const numbers = constants.flatMap(input => {
    const data = lift.constant(input)?.data
    return data && data.length <= 8 ? Array.from(data) : []
  })
  const epsilons = [...new Set([...numbers.filter(n => n > 0 && n < 0.1),
    ...inside.filter(node => node.op.startsWith('Fused')).map(node => node.attr('epsilon').float ?? 1e-4)])]
  const groups = [0, ...new Set([...numbers.filter(n => n >= 1 && channels % n === 0), 1, channels])]
  for (const epsilon of epsilons) {
    for (const count of groups) {
      const factors = fit(normalized(x, count, epsilon), result.data, channels)
      if (!factors) continue
      const vectors = constants.filter(input =>
        /^(Variable|Const)$/.test(plain(input).op) && lift.known(input)?.data.length === channels)
      const named = (wanted: Float64Array, neutral: number) => {
        const found = vectors.find(input => near(lift.known(input)!.data, wanted))
        return found ?? (wanted.every(value => Math.abs(value - neutral) <= TOLERANCE * 10) ? null : undefined)
      }
      const gamma = named(factors.scale, 1), beta = named(factors.offset, 0)
      if (gamma === undefined || beta === undefined) continue
      return { end: inside[0], inside, groups: count, epsilon, gamma, beta }
    }
  }
  return null
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).every((value, i) => Math.abs(value - b[i]) <= TOLERANCE * 10 * Math.max(1, Math.abs(value)))

function normalized({ shape, data }: DenseTensor, groups: number, epsilon: number): Float64Array {
  const [batch] = shape, channels = shape.at(-1)!, pixels = data.length / batch / channels, out = new Float64Array(data.length)
  const width = groups ? channels / groups : channels
  for (let n = 0; n < batch; n++) {
    const parts = groups
      ? Array.from({ length: groups }, (_, g) => Array.from({ length: pixels * width }, (_, i) =>
          (n * pixels + Math.floor(i / width)) * channels + g * width + i % width))
      : Array.from({ length: pixels }, (_, p) => Array.from({ length: channels }, (_, c) => (n * pixels + p) * channels + c))
    for (const at of parts) {
      const [mean, variance] = statistics(data, at)
      for (const i of at) out[i] = (data[i] - mean) / Math.sqrt(variance + epsilon)
    }
  }
  return out
}

/** The factor and the offset of each channel that lead from `from` to `to`, if there are such. */
function fit(from: Float64Array, to: ArrayLike<number>, channels: number): { scale: Float64Array, offset: Float64Array } | null {
  const scale = new Float64Array(channels), offset = new Float64Array(channels)
  for (let c = 0; c < channels; c++) {
    let low = c, high = c
    for (let i = c; i < from.length; i += channels) {
      if (from[i] < from[low]) low = i
      if (from[i] > from[high]) high = i
    }
    scale[c] = (to[high] - to[low]) / (from[high] - from[low])
    offset[c] = to[low] - scale[c] * from[low]
    for (let i = c; i < from.length; i += channels) {
      if (!(Math.abs(from[i] * scale[c] + offset[c] - to[i]) <= TOLERANCE)) return null
    }
  }
  return { scale, offset }
}

function claim(found: Match, source: Value, root: Node, rank: number, lift: Lifting): boolean {
  const { end, inside, groups, epsilon, gamma, beta } = found
  const weights: Weights = {}
  if (gamma) weights.gammaInitializer = { tensor: lift.known(gamma)!, as: 'ones' }
  if (beta) weights.betaInitializer = { tensor: lift.known(beta)!, as: 'zeros' }
  const options = { epsilon: shortest(epsilon), scale: !!gamma, center: !!beta }
  const place = { named: root, last: end, inputs: [source], weights }
  const build = () => groups
    ? lift.layer((config: never) => new GroupNormalization(config), { groups, ...options }, place)
    : lift.layer(tf.layers.layerNormalization, { axis: rank - 1, ...options }, place)
  return lift.claim(end, inside, build)
}
