import type { DenseTensor } from '../../hub/tensor.ts'
import { standardized, StandardizedConv2D } from '../../layers/standardized-convolution.ts'
import { tf } from '../../tf.ts'
import { Evaluation } from '../evaluate.ts'
import { Node, type Value } from '../graph.ts'
import type { Lifting, Rules, Weights } from '../lifting.ts'
import { fusedActivation } from './activation.ts'

/** Convolutions: Keras's Conv2D and DepthwiseConv2D, with the bias and the activation that follow them in the same scope. */
export const convolution: Rules = {
  Conv2D(node, lift) {
    const standard = standardizedKernel(node.inputs[1], lift), kernel = standard ?? lift.known(node.inputs[1])
    const geometry = geometryOf(node)
    if (!kernel || !geometry || kernel.shape.length !== 4) return false
    const channels = lift.tensor(node.inputs[0]).shape[3]!, groups = channels / kernel.shape[2]
    const weights: Weights = { kernelInitializer: { tensor: kernel, as: 'glorotUniform' } }
    const tail = biasAndActivation(node, lift, weights)
    const make = (options: never) => standard
      ? new StandardizedConv2D({ ...options as object, groups } as never)
      : Object.assign(tf.layers.conv2d(options), { groups })
    return lift.layer(make, {
      filters: kernel.shape[3], kernelSize: kernel.shape.slice(0, 2), ...geometry, ...tail.options,
    }, { named: node, through: tail.through, inputs: [padded(node, lift)], weights })
  },
  DepthwiseConv2dNative(node, lift) {
    const kernel = lift.known(node.inputs[1]), geometry = geometryOf(node)
    if (!kernel || !geometry || kernel.shape.length !== 4) return false
    const weights: Weights = { depthwiseInitializer: { tensor: kernel, as: 'glorotUniform' } }
    const tail = biasAndActivation(node, lift, weights)
    return lift.layer(tf.layers.depthwiseConv2d, {
      kernelSize: kernel.shape.slice(0, 2), depthMultiplier: kernel.shape[3], ...geometry, ...tail.options,
    }, { named: node, through: tail.through, inputs: [padded(node, lift)], weights })
  },
  Conv2DBackpropInput(node, lift) {
    const [size, filter, x] = node.inputs, kernel = lift.known(filter), wanted = lift.constant(size)?.data
    const geometry = geometryOf(node)
    if (!kernel || !wanted || !geometry || node.attr('padding').text === 'EXPLICIT' || !lift.tensorOf(x)) return false
    const [, height, width] = lift.tensor(x).shape, strides = geometry.strides as number[]
    const keras = [height, width].map((from, d) =>
      from! * strides[d] + (geometry.padding === 'valid' ? Math.max(kernel.shape[d] - strides[d], 0) : 0))
    if (keras.some((pixels, d) => pixels !== wanted[d + 1]) || geometry.dilationRate) return false
    const weights: Weights = { kernelInitializer: { tensor: kernel, as: 'glorotUniform' } }
    const tail = biasAndActivation(node, lift, weights, kernel.shape[2])
    return lift.layer(tf.layers.conv2dTranspose, {
      filters: kernel.shape[2], kernelSize: kernel.shape.slice(0, 2), ...geometry, ...tail.options,
    }, { named: node, through: tail.through, inputs: [x], weights })
  },
}

/** What flows into a convolution: behind a layer of its own where the margins are given one by one. */
function padded(node: Node, lift: Lifting): Value {
  const [x] = node.inputs, margins = node.attr('explicit_paddings').ints
  if (node.attr('padding').text !== 'EXPLICIT' || !margins) return x
  const padding = [margins.slice(2, 4), margins.slice(4, 6)], result = new Node('Pad', `${node.path}/pad`, [x])
  lift.layer(tf.layers.zeroPadding2d, { padding }, { named: result, inputs: [x] })
  return { node: result, index: 0 }
}

/** How deep the arithmetic on a filter is looked through, and on how many of its filters it is tried. */
const DEEPEST = 24, TRIED = 2

/** The weights behind filters that are standardized each time they are used; recognized by what becomes of some of them. */
function standardizedKernel(filter: Value, lift: Lifting): DenseTensor | null {
  if (!filter.node.trained || filter.node.op === 'Variable') return null
  const inside = new Set([filter.node])
  for (const node of inside) if (inside.size <= DEEPEST) for (const input of node.inputs) inside.add(input.node)
  const [variable, ...others] = [...inside].filter(node => node.op === 'Variable')
  const whole = variable && !others.length ? lift.known({ node: variable, index: 0 }) : null
  if (whole?.shape.length !== 4) return null
  const few = firstFilters(whole, TRIED), result = new Evaluation([[variable, [few]]]).at(filter)
  if (result?.data.length !== few.data.length) return null
  const expected = tf.tidy(() => standardized(tf.tensor(few.data as Float32Array, few.shape)).dataSync())
  return expected.every((value, i) => Math.abs(value - result.data[i]) <= 1e-4 * Math.max(1, Math.abs(value))) ? whole : null
}

function firstFilters({ dtype, shape, data }: DenseTensor, count: number): DenseTensor {
  const filters = shape[3], taken = Math.min(count, filters)
  const at = (i: number) => data[Math.floor(i / taken) * filters + i % taken]
  const few = Float32Array.from({ length: data.length / filters * taken }, (_, i) => at(i))
  return { dtype, shape: [...shape.slice(0, 3), taken], data: few }
}

/**
 * A dilated convolution, which older TensorFlow writes as a plain one on the image cut into interleaved ones: SpaceToBatchND, the
 * convolution, BatchToSpaceND.
 */
export const dilated: Rules = {
  SpaceToBatchND(node, lift) {
    const conv = lift.next(node, 'Conv2D', 'DepthwiseConv2dNative'), back = conv && lift.next(conv, 'BatchToSpaceND')
    const kernel = conv && lift.known(conv.inputs[1])
    if (!back || !kernel || conv.attr('padding').text !== 'VALID') return false
    // The margins may follow from the size of the map, which is known when its layer is there.
    lift.whenKnown(node.inputs[0].node, () => {
      const [rate, pads, crops] = [node.inputs[1], node.inputs[2], back.inputs[2]].map(value => lift.settled(value)?.data)
      if (rate?.length === 2 && pads && crops) dilate(node, conv, back, { kernel, rate, pads, crops }, lift)
    })
    return false
  },
}

function dilate(
  node: Node,
  conv: Node,
  back: Node,
  { kernel, rate, pads, crops }: { kernel: DenseTensor } & Record<'rate' | 'pads' | 'crops', ArrayLike<number>>,
  lift: Lifting,
): void {
  const before = [pads[0], pads[2]], after = [pads[1] - crops[1], pads[3] - crops[3]]
  const around = [0, 1].map(d => (kernel.shape[d] - 1) * rate[d])
  const same =
    before.every((pad, d) => pad === Math.floor(around[d] / 2)) && after.every((pad, d) => pad === Math.ceil(around[d] / 2))
  if (crops[0] || crops[2] || !same && [...before, ...after].some(pad => pad !== 0)) return
  const depthwise = conv.op !== 'Conv2D'
  const weights: Weights = {
    [depthwise ? 'depthwiseInitializer' : 'kernelInitializer']: { tensor: kernel, as: 'glorotUniform' },
  }
  const tail = biasAndActivation(back, lift, weights), last = tail.through.at(-1) ?? back
  const shape = depthwise ? { depthMultiplier: kernel.shape[3] } : { filters: kernel.shape[3] }
  lift.claim(last, [node, conv, back, ...tail.through], () =>
    lift.layer(
      (depthwise ? tf.layers.depthwiseConv2d : tf.layers.conv2d) as never,
      {
        ...shape,
        kernelSize: kernel.shape.slice(0, 2),
        strides: 1,
        dilationRate: Array.from(rate),
        padding: same ? 'same' : 'valid',
        ...tail.options,
      },
      { named: conv, last, inputs: [node.inputs[0]], weights },
    ),
  )
}

/**
 * Keras's SeparableConv2D is two operations in one scope. TF-slim's depthwise and pointwise layers have scopes of their own, and
 * stay two.
 */
export const separable: Rules = {
  DepthwiseConv2dNative(node, lift) {
    const point = lift.next(node, 'Conv2D'),
      depthwise = lift.known(node.inputs[1]),
      pointwise = point && lift.known(point.inputs[1])
    const geometry = node.attr('padding').text === 'EXPLICIT' ? null : geometryOf(node)
    if (!pointwise || !depthwise || !geometry || !node.path.startsWith(`${point.path}/`)) return false
    if (pointwise.shape[0] !== 1 || pointwise.shape[1] !== 1 || point.attr('strides').ints?.some(stride => stride !== 1))
      return false
    const weights: Weights = {
      depthwiseInitializer: { tensor: depthwise, as: 'glorotUniform' },
      pointwiseInitializer: { tensor: pointwise, as: 'glorotUniform' },
    }
    const tail = biasAndActivation(point, lift, weights)
    return lift.claim(tail.through.at(-1) ?? point, [node, point, ...tail.through], () =>
      lift.layer(
        tf.layers.separableConv2d,
        {
          filters: pointwise.shape[3],
          kernelSize: depthwise.shape.slice(0, 2),
          depthMultiplier: depthwise.shape[3],
          ...geometry,
          ...tail.options,
        },
        { named: point, last: tail.through.at(-1) ?? point, inputs: [node.inputs[0]], weights },
      ),
    )
  },
}

/** Fully connected layers. */
export const dense: Rules = {
  MatMul(node, lift) {
    const kernel = lift.known(node.inputs[1])
    if (!kernel || node.attr('transpose_a').bool || lift.tensor(node.inputs[0]).shape.length !== 2) return false
    const matrix = node.attr('transpose_b').bool ? transposed(kernel) : kernel
    const weights: Weights = { kernelInitializer: { tensor: matrix, as: 'glorotUniform' } }
    const tail = biasAndActivation(node, lift, weights)
    return lift.layer(
      tf.layers.dense,
      { units: matrix.shape[1], ...tail.options },
      { named: node, through: tail.through, inputs: [node.inputs[0]], weights },
    )
  },
}

/** A fully connected layer on images or sequences (`tf.tensordot`): flattened to a matrix, multiplied, given its shape back. */
export const denseOnChannels: Rules = {
  MatMul(node, lift) {
    const flat = node.inputs[0].node, back = lift.next(node, 'Reshape'), kernel = lift.known(node.inputs[1])
    if (flat.op !== 'Reshape' || !back || !kernel || node.attr('transpose_a').bool || node.attr('transpose_b').bool) return false
    const turned = flat.inputs[0].node, order = turned.op === 'Transpose' ? lift.constant(turned.inputs[1]) : null
    const straight = order !== null && order.data.every((axis, i) => axis === i)
    if (!straight && !/Tensordot/.test(node.path)) return false
    const x = straight ? turned.inputs[0] : flat.inputs[0],
      weights: Weights = { kernelInitializer: { tensor: kernel, as: 'glorotUniform' } }
    const tail = biasAndActivation(back, lift, weights), last = tail.through.at(-1) ?? back
    const inside = [...(straight ? [turned] : []), flat, node, back, ...tail.through]
    return lift.claim(last, inside, () =>
      lift.layer(tf.layers.dense, { units: kernel.shape[1], ...tail.options }, { named: node, last, inputs: [x], weights }),
    )
  },
}

function transposed({ dtype, shape: [rows, columns], data }: DenseTensor): DenseTensor {
  const out = new Float32Array(data.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]
  return { dtype, shape: [columns, rows], data: out }
}

/** Strides, padding and dilation as Keras writes them, margins given one by one left out; `null` for channels first. */
function geometryOf(node: Node): Record<string, unknown> | null {
  const format = node.attr('data_format').text ?? 'NHWC', padding = node.attr('padding').text
  if (format !== 'NHWC' || !padding || !/^(SAME|VALID|EXPLICIT)$/.test(padding)) return null
  const strides = node.attr('strides').ints?.slice(1, 3) ?? [1, 1], dilation = node.attr('dilations').ints?.slice(1, 3) ?? [1, 1]
  const dilated = dilation.some(d => d > 1) ? { dilationRate: dilation } : {}
  return { strides, padding: padding === 'SAME' ? 'same' : 'valid', ...dilated }
}

/** The bias that is added to `node`'s result, and the activation after it. */
function biasAndActivation(
  node: Node,
  lift: Lifting,
  weights: Weights,
  channels = Object.entries(weights).map(([key, { tensor: { shape } }]) =>
    key === 'depthwiseInitializer' ? shape[2] * shape[3] : shape.at(-1)).at(-1),
): { options: Record<string, unknown>, through: Node[] } {
  const bias = lift.next(node, 'BiasAdd', 'Add', 'AddV2')
  const value = bias && lift.known(lift.other(bias, node))
  const isBias = value && value.shape.at(-1) === value.data.length && (bias.op === 'BiasAdd' || value.data.length === channels)
  if (isBias) weights.biasInitializer = { tensor: value, as: 'zeros' }
  const activation = fusedActivation(isBias ? bias : node, lift)
  const through = [...(isBias ? [bias] : []), ...(activation ? [activation.last] : [])]
  return { options: { useBias: !!isBias, ...(activation ? { activation: activation.name } : {}) }, through }
}
