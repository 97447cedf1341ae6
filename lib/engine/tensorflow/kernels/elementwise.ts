import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Operand } from '../backend.ts'
import { float } from '../backend.ts'
import type { Kernel, Kernels } from './index.ts'

const unary = ['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Cos', 'Cosh', 'Elu', 'Erf', 'Exp', 'Expm1', 'Floor', 'IsFinite', 'IsInf',
  'IsNan', 'Log', 'Log1p', 'LogicalNot', 'Neg', 'OnesLike', 'Reciprocal', 'Relu', 'Relu6', 'Round', 'Rsqrt', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh',
  'Softplus', 'Sqrt', 'Square', 'Tan', 'Tanh', 'ZerosLike']

/** TensorFlow.js's name → TensorFlow's, where they differ. */
const binary = { Add: 'AddV2', Multiply: 'Mul', Mod: 'FloorMod', Sub: '', RealDiv: '', FloorDiv: '', Maximum: '', Minimum: '', Pow: '', SquaredDifference: '',
  Atan2: '', Equal: '', NotEqual: '', Greater: '', GreaterEqual: '', Less: '', LessEqual: '', LogicalAnd: '', LogicalOr: '', BitwiseAnd: '' }

const one = (op: string): Kernel => ({ x }, _attributes, backend) => backend.run(op, [x])[0]
const two = (op: string): Kernel => ({ a, b }, _attributes, backend) => backend.run(op, [a, b])[0]

/** Value by value: functions, arithmetic, comparisons, and what training needs of their gradients. */
export const elementwise: Kernels = {
  ...Object.fromEntries(unary.map(name => [name, one(name)])),
  ...Object.fromEntries(Object.entries(binary).map(([name, op]) => [name, two(op || name)])),
  AddN: (inputs, _attributes, backend) => backend.run('AddN', [Object.values(inputs)])[0],
  Cast({ x }, { dtype }, backend) {
    if (dtype !== 'complex64' || x.dtype === 'complex64') return backend.run('Cast', [x], { DstT: dtype as string })[0]
    return backend.compose(run => run('Complex', [run('Cast', [x], { DstT: 'float32' }), run('Mul', [run('Cast', [x], { DstT: 'float32' }), float(0)])]))
  },
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }, backend) => backend.compose(run => {
    const bound = (value: unknown): Operand =>
      x.dtype === 'int32' ? { values: [value as number], shape: [], dtype: 'int32' } : float(value as number)
    return run('ClipByValue', [x, bound(clipValueMin), bound(clipValueMax)])
  }),
  ClipGrad: ({ dy, y }, { high }, backend) => backend.run(high === 6 ? 'Relu6Grad' : 'ReluGrad', [dy, y])[0],
  Complex: ({ real, imag }, _attributes, backend) => backend.run('Complex', [real, imag])[0],
  ComplexAbs: ({ x }, _attributes, backend) => backend.run('ComplexAbs', [x])[0],
  EluGrad: ({ dy, y }, _attributes, backend) => backend.run('EluGrad', [dy, y])[0],
  FFT: ({ input }, _attributes, backend) => backend.run('FFT', [input])[0],
  IFFT: ({ input }, _attributes, backend) => backend.run('IFFT', [input])[0],
  Imag: ({ input }, _attributes, backend) => backend.run('Imag', [input])[0],
  Real: ({ input }, _attributes, backend) => backend.run('Real', [input])[0],
  LeakyRelu: ({ x }, { alpha }, backend) => backend.run('LeakyRelu', [x], { alpha: alpha as number })[0],
  Prelu: ({ x, alpha }, _attributes, backend) => backend.compose(run =>
    run('AddV2', [run('Relu', [x]), run('Mul', [alpha, run('Minimum', [x, float(0)])])])),
  Select: ({ condition, t, e }, _attributes, backend) => backend.run('SelectV2', [condition, t, e])[0],
  Step: ({ x }, { alpha }, backend) => backend.compose(run => {
    const some = run('Mul', [run('OnesLike', [x]), float(alpha as number)])
    const step = run('SelectV2', [run('Greater', [x, float(0)]), run('OnesLike', [x]), some])
    return run('SelectV2', [run('IsNan', [x]), x, step])
  }),
}

/** An activation after a fused operation; its name is that of TensorFlow.js. */
export function activate(run: (name: string, inputs: Operand[], attributes?: Record<string, number>) => TensorInfo,
  y: TensorInfo, activation: string | undefined, slope: TensorInfo | undefined, alpha: number): TensorInfo {
  if (!activation || activation === 'linear') return y
  if (activation === 'prelu') return run('AddV2', [run('Relu', [y]), run('Mul', [slope!, run('Minimum', [y, float(0)])])])
  if (activation === 'leakyrelu') return run('LeakyRelu', [y], { alpha })
  return run({ relu: 'Relu', relu6: 'Relu6', elu: 'Elu', sigmoid: 'Sigmoid', tanh: 'Tanh' }[activation] ?? activation, [y])
}
