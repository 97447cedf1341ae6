import type { Node } from './graph.ts'

/** Last parts of a node's path that name the operation, not the layer. */
const OPERATIONS = new RegExp('^(' + [
  'Conv2D', 'convolution', 'depthwise', 'separable_conv2d', 'conv2d_transpose', 'Conv2DBackpropInput', 'DepthwiseConv2dNative', 'BiasAdd', 'MatMul',
  'FusedBatchNorm(V[23])?', 'batchnorm', 'Relu6?', 'LeakyRelu', 'Elu', 'Selu', 'Sigmoid', 'Tanh', 'Softmax', 'Softplus', 'swish', 'Silu', 'Gelu', 'Erfc?',
  'add', 'AddV2', 'Add', 'sub', 'Sub', 'mul', 'Mul', 'truediv', 'RealDiv', 'concat', 'concatenate', 'ConcatV2', 'Mean', 'Max', 'MaxPool(2d)?', 'AvgPool(2d)?',
  'max_pool', 'Pad', 'PadV2', 'Squeeze', 'Reshape', 'Transpose', 'transpose', 'resize', 'ResizeBilinear', 'ResizeNearestNeighbor', 'Rsqrt', 'strided_slice',
  'Tensordot', 'StatelessRandomUniform',
].join('|') + ')(_\\d+)?$')

/** Scopes inside a layer's own. */
const NESTED = /^(batchnorm|Tensordot|moments)$/

/**
 * Names of layers. In Keras's layouts a layer is a scope, so its name is the scope's: `Conv1/Conv2D` gives `Conv1`. In TF-slim's, what
 * has weights is named by its scope and the rest by its own path, with `.` for `/`, which Keras does not allow in names:
 * `MobilenetV2.expanded_conv_1.expand`, `MobilenetV2.expanded_conv_1.expand.Relu6`.
 */
export class Names {
  readonly #keras: boolean
  readonly #prefix: string
  readonly #taken = new Set<string>()

  /** `nodes` are those that take part, so that a scope common to all (the model's own name) can be left out in Keras's layouts. */
  constructor(keras: boolean, nodes: Node[]) {
    this.#keras = keras
    this.#prefix = keras ? commonScope(nodes.map(node => node.path)) : ''
  }

  /** The scope that a node belongs to: its path without the parts that name operations. */
  scope(node: Node): string {
    const parts = node.path.slice(this.#prefix.length).split('/')
    if (OPERATIONS.test(parts[parts.length - 1])) parts.pop()
    if (NESTED.test(parts[parts.length - 1] ?? '')) parts.pop()
    return parts.join('.')
  }

  /** A free name for the layer made of `node`. */
  take(node: Node, weights: boolean): string {
    const full = node.path.slice(this.#prefix.length).replaceAll('/', '.')
    const first = this.#keras || weights ? this.scope(node) : full
    for (const name of [first, full]) if (name && this.reserve(name)) return name
    for (let i = 1; ; i++) if (this.reserve(`${full || node.op}_${i}`)) return `${full || node.op}_${i}`
  }

  /** Takes `name` if it is free. */
  reserve(name: string): boolean {
    if (this.#taken.has(name)) return false
    this.#taken.add(name)
    return true
  }
}

function commonScope(paths: string[]): string {
  const scopes = paths.filter(path => path.includes('/')).map(path => path.split('/').slice(0, -1))
  if (!scopes.length || scopes.length < paths.length) return ''
  let common = scopes[0].slice(0, -1)
  for (const scope of scopes) {
    let shared = 0
    while (shared < common.length && shared < scope.length - 1 && common[shared] === scope[shared]) shared++
    common = common.slice(0, shared)
  }
  return common.length ? common.join('/') + '/' : ''
}
