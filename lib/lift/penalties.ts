import { type DenseTensor, type Numbers } from '../hub/tensor.ts'
import { Evaluation, type Extra } from './evaluate.ts'
import type { Node, Value } from './graph.ts'

/** What a weight adds to the loss in training: `l1·Σ|w| + l2·Σw²`, as Keras's L1L2 has it. */
export interface Penalty { l1: number, l2: number }

/** A penalty as the model holds it: a function of one variable. */
export interface PenaltyFunction { variable: Node, value: Value }

/**
 * What each penalty is, found by computing it for a weight of one number: at 1 and at 2, and checked at −3. By the variable's
 * value; a penalty of another form is left out.
 */
export function penaltiesOf(functions: PenaltyFunction[]): Map<DenseTensor, Penalty> {
  const found = new Map<DenseTensor, Penalty>()
  for (const { variable, value } of functions) {
    const [tensor] = variable.constants ?? []
    if (!tensor) continue
    const shape = tensor.shape.map(() => 1)
    const of = (number: number) => [{ dtype: 'float32', shape, data: Float32Array.of(number) }]
    const at = (number: number) => new Evaluation([[variable, of(number)]], halfSquare).at(value)?.data[0] ?? NaN
    const one = at(1), two = at(2), l2 = two / 2 - one, l1 = one - l2
    if (!(Math.abs(at(-3) - (3 * l1 + 9 * l2)) <= 1e-5 * Math.abs(one)) || l1 < -1e-9 || l2 < -1e-9) continue
    found.set(tensor, { l1: rounded(l1, one), l2: rounded(l2, one) })
  }
  return found
}

/** A float32's worth of digits, and nothing where rounding alone is left. */
const rounded = (value: number, whole: number): number => Math.abs(value) <= 1e-5 * whole ? 0 : Number(value.toPrecision(6))

const halfSquare: Extra = (node, [x]) =>
  node.op === 'L2Loss' ? [{ dtype: 'float32', shape: [], data: Float32Array.of(sumOfSquares(x.data) / 2) }] : null

const sumOfSquares = (data: Numbers): number => {
  let sum = 0
  for (const value of data) sum += value * value
  return sum
}
