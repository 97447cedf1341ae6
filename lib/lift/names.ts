import type { Node } from './graph.ts'

/** Last parts of a node's path that name the operation, not the layer. */
const OPERATIONS = new RegExp(
  '^(' +
    [
      '\\w*Conv2D',
      'convolution',
      'depthwise',
      'separable_conv2d',
      'conv2d_transpose',
      'Conv2DBackpropInput',
      'DepthwiseConv2dNative',
      'BiasAdd',
      'MatMul',
      'FusedBatchNorm(V[23])?',
      'batchnorm',
      'Relu6?',
      'LeakyRelu',
      'Elu',
      'Selu',
      'Sigmoid',
      'Tanh',
      'Softmax',
      'Softplus',
      'swish',
      'Silu',
      'Gelu',
      'Erfc?',
      'add',
      'AddV2',
      'Add',
      'sub',
      'Sub',
      'mul',
      'Mul',
      'truediv',
      'RealDiv',
      'concat',
      'concatenate',
      'ConcatV2',
      'Mean',
      'Max',
      'MaxPool(2d)?',
      'AvgPool(2d)?',
      'max_pool',
      'Pad',
      'PadV2',
      'Squeeze',
      'Reshape',
      'Transpose',
      'transpose',
      'resize',
      'ResizeBilinear',
      'ResizeNearestNeighbor',
      'R?[sS]qrt',
      'strided_slice',
      'Tensordot',
      'GreaterEqual',
      'Greater',
      'Select(V2)?',
      'M(ax|in)imum',
      'clip_by_value',
      'Softsign',
      'Exp',
    ].join('|') +
    ')(_\\d+)?$',
)

/** Scopes inside a layer's own. */
const NESTED = /^(batchnorm|Tensordot|moments|Gelu|dropout|resize|clip_by_value)$/

/**
 * Names of layers. In Keras's layouts a layer is a scope, so its name is the scope's: `Conv1/Conv2D` gives `Conv1`; a scope
 * common to all is the model's own and left out, and so is the number that a second trace adds to every scope (`Conv1_1`). In
 * TF-slim's layouts, what has weights is named by its scope and the rest by its own path, with `.` for `/`, which Keras does not
 * allow in names: `MobilenetV2.expanded_conv_1.expand`, `MobilenetV2.expanded_conv_1.expand.Relu6`. Graft's own SavedModels
 * have a scope a layer, with the layer's whole name.
 */
export class Names {
  /** Whether every layer has a scope of its own. */
  readonly keras: boolean
  readonly #own: boolean
  readonly #prefix: string
  readonly #again: Set<string>
  readonly #taken = new Set<string>()

  /** `nodes` are all that become layers. */
  constructor(layout: string, nodes: Node[]) {
    const paths = nodes.map(node => node.path)
    this.#own = layout === 'graft'
    this.keras = this.#own || layout === 'tf_keras' || layout === 'keras3'
    this.#again = layout === 'keras3' ? tracedAgain(paths) : new Set()
    this.#prefix = this.#own || this.#again.size || !this.keras && layout !== 'tf1' ? '' : commonScope(paths)
  }

  #parts(node: Node): string[] {
    const parts = node.path.slice(this.#prefix.length).split('/')
    if (!this.#again.size || parts.length < 2) return parts
    return this.#again.has(parts[0])
      ? parts.slice(1).map((part, i) => (i < parts.length - 2 ? part.replace(/_\d+$/, '') : part))
      : parts.slice(1)
  }

  /** The scope that a node belongs to: its path without the parts that name operations. */
  scope(node: Node): string {
    const parts = this.#parts(node)
    if (this.#own) return parts.slice(0, -1).filter(part => part !== 'Tensordot').join('.')
    if (/^(SpaceToBatch|BatchToSpace)ND$/.test(parts[parts.length - 1])) parts.pop()
    if (OPERATIONS.test(parts[parts.length - 1])) parts.pop()
    if (NESTED.test(parts[parts.length - 1] ?? '')) parts.pop()
    return parts.join('.')
  }

  /** A free name for the layer made of `node`. */
  take(node: Node, weights: boolean): string {
    const full = this.#parts(node).join('.')
    const first = this.keras || weights ? this.scope(node) : full
    return this.#taken.has(first) || !first ? this.reserve(full || node.op) : this.reserve(first)
  }

  /** `name`, or with a number behind it where that is taken. */
  reserve(name: string): string {
    let free = name
    for (let i = 1; this.#taken.has(free); i++) free = `${name}_${i}`
    this.#taken.add(free)
    return free
  }
}

/** The scopes that all paths begin with, with the slash behind them. */
function commonScope(paths: string[]): string {
  let common = paths[0]?.split('/').slice(0, -2) ?? []
  for (const path of paths) {
    const parts = path.split('/'), differs = common.findIndex((part, i) => i >= parts.length - 2 || parts[i] !== part)
    if (differs >= 0) common = common.slice(0, differs)
  }
  return common.length ? `${common.join('/')}/` : ''
}

/**
 * The scopes of Keras 3's exports, which trace the model a second time: `model_1/conv_1/Conv2D`, beside `model/…` for what
 * TensorFlow names anew. In the former every layer's name has a number behind it.
 */
function tracedAgain(paths: string[]): Set<string> {
  const scopes = [...new Set(paths.map(path => path.split('/')[0]))].sort((a, b) => a.length - b.length)
  const [base] = scopes,
    again = scopes.filter(scope => scope !== base && scope.startsWith(`${base}_`) && /^_\d+$/.test(scope.slice(base.length)))
  if (scopes.length > 1) return new Set(again.length === scopes.length - 1 ? again : [])
  const inner = paths.map(path => path.split('/')).filter(parts => parts.length > 2),
    all = inner.every(parts => /_\d+$/.test(parts[1])) && inner.length > 0
  return new Set(base && /_\d+$/.test(base) && all ? scopes : [])
}
