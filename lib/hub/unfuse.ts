import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { GraftError } from '../error.ts'
import { type NodeDef, readAttr } from './node-def.ts'

/** Operations that hold a bias and an activation besides their own, and what that own one is. */
const fused: Record<string, string> = {
  _FusedConv2D: 'Conv2D', FusedConv2D: 'Conv2D',
  _FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative', FusedDepthwiseConv2dNative: 'DepthwiseConv2dNative',
  _FusedMatMul: 'MatMul',
}

/** Before the name of a part of the same operation: whose own name may be that of the whole. */
const part = '\0'

/** What a weight's name ends in besides the operation that takes it. */
const ownEnd = /(\/ReadVariableOp(_\d+)?(\/resource)?|_weights|\/(weights|kernel|read))+$/

/**
 * A graph in which each fused operation stands as several, as before the converter (grappler's remapper) fused them: the
 * convolution or product under the name of its weights, then the bias, the normalization and the activation, of which the last
 * takes the place of all.
 */
export function unfused(nodes: NodeDef[]): NodeDef[] {
  const taken = new Set(nodes.map(({ name }) => name)), last = new Map<string, string>(), constants = new Map(nodes.map(node =>
    [node.name, node]))
  const apart = nodes.flatMap(node => {
    const steps = stepsOf(node, constants, unique(taken))
    if (!steps) return [node]
    last.set(node.name, steps.at(-1)!.name)
    return steps
  })
  const renamed = (reference: string) => {
    if (reference.startsWith(part)) return reference.slice(part.length)
    const control = reference.startsWith('^') ? '^' : '', [name, ...rest] = reference.slice(control.length).split(':')
    return control + [last.get(name) ?? name, ...rest].join(':')
  }
  for (const node of apart) node.inputs = node.inputs.map(renamed)
  // What the signature names must be found under that name.
  return [...apart, ...[...last].filter(([name, end]) => name !== end && !apart.some(node => node.name === name))
    .map(([name, end]): NodeDef => ({ name, op: 'Identity', inputs: [end], attrs: new Map() }))]
}

type Unique = (name: string, own?: string) => string

/** Free names; `own` is the fused operation's, which one of its parts may take. */
function unique(taken: Set<string>): Unique {
  const given = new Set<string>()
  return (name, own) => {
    let free = name
    for (let i = 1; given.has(free) || taken.has(free) && free !== own; i++) free = `${name}_${i}`
    given.add(free)
    taken.add(free)
    return free
  }
}

const scopeOf = (name: string) => name.split('/').slice(0, -1).join('/')

function stepsOf(node: NodeDef, constants: Map<string, NodeDef>, free: Unique): NodeDef[] | null {
  const [x, ...others] = node.inputs, scope = scopeOf(node.name)
  switch (node.op) {
    case 'Prelu': return others.length ? preluOf(scope, x, others[0], free) : null
    case '_FusedHardSwish': return x === undefined ? null : hardSwishOf(scope, x, free)
    case '_FusedBatchNormEx': return others.length < 4 ? null : normalizationOf(node, free)
    default: return Object.hasOwn(fused, node.op) ? split(node, constants, free) : null
  }
}

function split(node: NodeDef, constants: Map<string, NodeDef>, free: Unique): NodeDef[] {
  const operation = fused[node.op], [x, weights, ...others] = node.inputs.filter(input => !input.startsWith('^'))
  const wanted = (input: string | undefined): string => {
    if (input !== undefined) return input
    throw new GraftError(`operation ${node.op} ('${node.name}') of the model lacks its inputs. Download it anew, or open an intact copy with ` +
      "hub.load('./folder').")
  }
  const attrs = new Map(node.attrs), steps: NodeDef[] = [], named = pathOf(node, wanted(weights), constants, operation),
    scope = scopeOf(named)
  for (const name of ['fused_ops', 'num_args', 'epsilon', 'leakyrelu_alpha', 'TArgs', 'num_host_args',
    'filter_format']) attrs.delete(name)
  const add = (op: string, inputs: string[], name = `${scope}/${op}`, more = new Map<string, Uint8Array>()) => {
    const step: NodeDef = { name: free(name, node.name), op, inputs, attrs: more }
    steps.push(step)
    return part + step.name
  }
  let at = add(operation, [x, weights], named, attrs)
  for (const op of readAttr(node, 'fused_ops').texts ?? []) {
    const activated = node.name.endsWith(`/${op}`) ? node.name : `${scope}/${op}`
    if (op === 'BiasAdd') at = add('BiasAdd', [at, wanted(others.shift())])
    else if (op === 'FusedBatchNorm') {
      const of = new Map([['epsilon', node.attrs.get('epsilon')!], ['is_training', no()]])
      at = add('FusedBatchNormV3', [at, ...others.splice(0, 4)], `${scope}/FusedBatchNorm`, of)
    } else if (op === 'Prelu') {
      const alpha = wanted(others.shift()), where = scopeOf(alpha) === scope || !scopeOf(alpha) ? `${scope}/prelu`
        : scopeOf(alpha)
      const parts = preluOf(where, at, alpha, free)
      steps.push(...parts)
      at = part + parts.at(-1)!.name
    } else if (op === '_FusedHardSwish') {
      const parts = hardSwishOf(scope, at, free)
      steps.push(...parts)
      at = part + parts.at(-1)!.name
    } else if (op === 'LeakyRelu') {
      at = add('LeakyRelu', [at], activated, new Map([['alpha', node.attrs.get('leakyrelu_alpha') ?? decimal(0.2)]]))
    } else at = add(op, [at], activated)
  }
  return steps
}

/** The path of the operation that took these weights before it was fused. */
function pathOf(node: NodeDef, weights: string, constants: Map<string, NodeDef>, operation: string): string {
  const name = weights.split(':')[0], isConstant = constants.get(name)?.op === 'Const', base = name.replace(ownEnd, '')
  if (!isConstant || base === name || !base.includes('/')) return `${scopeOf(node.name)}/${operation}`.replace(/^\//, '')
  return /(^|\/)(Conv2D|convolution|depthwise|separable_conv2d|MatMul|Tensordot)(_\d+)?(\/[^/]*)?$/.test(base) ? base
    : `${base}/${operation}`
}

/** `max(x, 0) − alpha·max(−x, 0)`, as Keras writes PReLU. */
function preluOf(scope: string, x: string, alpha: string, free: Unique): NodeDef[] {
  const [high, negative, low, product, end] = ['Relu', 'Neg_1', 'Relu_1', 'mul', 'add'].map(name => free(`${scope}/${name}`))
  const node = (name: string, op: string, inputs: string[]): NodeDef => ({ name, op, inputs, attrs: new Map() })
  return [node(high, 'Relu', [x]), node(negative, 'Neg', [x]), node(low, 'Relu', [part + negative]),
    node(product, 'Mul', [alpha, part + low]), node(end, 'Sub', [part + high, part + product])]
}

/** `x · min(max(x + 3, 0), 6) / 6`, as Keras writes it. */
function hardSwishOf(scope: string, x: string, free: Unique): NodeDef[] {
  const [three, sum, six, sixth, part6, end] = ['add/y', 'add', 'Relu6', 'mul/y', 'mul', 'mul_1'].map(name => free(scope
    ? `${scope}/${name}` : name))
  const node = (name: string, op: string, inputs: string[], attrs = new Map<string, Uint8Array>()): NodeDef => ({ name, op,
    inputs, attrs })
  return [node(three, 'Const', [], new Map([['value', scalar(3)]])), node(sum, 'AddV2', [x, part + three]), node(six, 'Relu6',
    [part + sum]),
    node(sixth, 'Const', [], new Map([['value', scalar(1 / 6)]])), node(part6, 'Mul', [part + six, part + sixth]), node(end,
      'Mul', [x, part + part6])]
}

/** Batch normalization, a second summand and an activation. */
function normalizationOf(node: NodeDef, free: Unique): NodeDef[] {
  const [x, scale, offset, mean, variance, side] = node.inputs.filter(input => !input.startsWith('^')), scope = scopeOf(node.name)
  const own = (name: string) => free(`${scope}/${name}`, node.name)
  const steps: NodeDef[] = [{ name: own('FusedBatchNormV3'), op: 'FusedBatchNormV3', inputs: [x, scale, offset, mean, variance],
    attrs: new Map([['epsilon', node.attrs.get('epsilon') ?? decimal(1e-4)], ['is_training', no()]]) }]
  const add = (op: string, inputs: string[]) => steps.push({ name: own(op), op, inputs: [part + steps.at(-1)!.name, ...inputs],
    attrs: new Map() })
  if (side !== undefined) add('AddV2', [side])
  const mode = readAttr(node, 'activation_mode').text
  if (mode && mode !== 'Identity') add(mode, [])
  return steps
}

/** A constant's `value` that is one number. */
const scalar = (value: number) => new BinaryWriter().tag(8, WireType.LengthDelimited).bytes(new BinaryWriter().tag(1,
  WireType.Varint).int32(1)
  .tag(2, WireType.LengthDelimited).bytes(new Uint8Array()).tag(5, WireType.Bit32).float(value).finish()).finish()
const no = () => new BinaryWriter().tag(5, WireType.Varint).bool(false).finish()
const decimal = (value: number) => new BinaryWriter().tag(4, WireType.Bit32).float(value).finish()
