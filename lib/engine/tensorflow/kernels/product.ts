import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Operand } from '../backend.ts'
import { activate } from './elementwise.ts'
import type { Kernels } from './index.ts'

type Run = (name: string, inputs: Operand[], attributes?: Record<string, string | number | boolean>) => TensorInfo

function matMul(run: Run, a: TensorInfo, b: TensorInfo, transposeA: unknown, transposeB: unknown): TensorInfo {
  const [left, right] = [Boolean(transposeA), Boolean(transposeB)]
  return a.shape.length === 2 && b.shape.length === 2
    ? run('MatMul', [a, b], { transpose_a: left, transpose_b: right })
    : run('BatchMatMulV2', [a, b], { adj_x: left, adj_y: right })
}

/** Products of matrices. */
export const product: Kernels = {
  BatchMatMul: ({ a, b }, { transposeA, transposeB }, backend) =>
    backend.compose(run => matMul(run, a, b, transposeA, transposeB)),
  Einsum: (inputs, { equation }, backend) => backend.run('Einsum', [Object.values(inputs)], { equation: equation as string })[0],
  _FusedMatMul: ({ a, b, bias, preluActivationWeights }, { transposeA, transposeB, activation, leakyreluAlpha }, backend) => backend.compose(run => {
    const y = matMul(run, a, b, transposeA, transposeB), biased = bias ? run('AddV2', [y, bias]) : y
    return activate(run, biased, activation as string, preluActivationWeights, leakyreluAlpha as number)
  }),
}
