/** What operations of one result call it in TensorFlow's op registry, where that is not `output`. */
const named: Record<string, string> = Object.fromEntries(Object.entries({
  y: 'Abs Neg Sqrt Rsqrt Square Exp Expm1 Log Log1p Erf Sigmoid Tan Tanh Sin Cos Sign Ceil Floor Round Reciprocal Cast ' +
    'Transpose LogicalNot ZerosLike',
  z: 'Add AddV2 Sub Mul Div RealDiv DivNoNan Pow Maximum Minimum SquaredDifference FloorDiv FloorMod Greater GreaterEqual Less ' +
    'LessEqual Equal NotEqual LogicalAnd LogicalOr',
  activations: 'Relu Relu6 Elu Selu LeakyRelu Softplus Softsign',
  softmax: 'Softmax',
  logsoftmax: 'LogSoftmax',
  product: 'MatMul',
  sum: 'AddN',
  resized_images: 'ResizeBilinear ResizeNearestNeighbor',
}).flatMap(([name, operations]) => operations.split(' ').map(operation => [operation, name])))

const several: Record<string, string[]> = {
  FusedBatchNormV3: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2', 'reserve_space_3'],
  TopKV2: ['values', 'indices'],
}

/** The names of an operation's results, as nodes of a function refer to them. Those of `Split` and the like are one list. */
export function resultsOf(op: string, count: number): string[] {
  if (Object.hasOwn(several, op)) return several[op].slice(0, count).map(name => `${name}:0`)
  return Array.from({ length: count }, (_, i) => `${Object.hasOwn(named, op) ? named[op] : 'output'}:${i}`)
}

/** Operations whose types have attributes of other names than `T`. */
export const untyped: ReadonlySet<string> = new Set(['Cast', 'GatherV2', 'LogicalAnd', 'LogicalNot', 'LogicalOr'])
