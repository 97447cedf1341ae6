import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import type { Tensor, Variable } from '@tensorflow/tfjs'
import { withoutTensorFlow } from '../unit/lib/engine/tensorflow/here.ts'
import { tracer } from '../../lib/engine/start.ts'
import { tf } from '../../lib/tf.ts'
import { GroupedOptimizer, optimizerFrom, type OptimizerChoice } from '../../lib/train/optimizers.ts'

interface Expected { settings: OptimizerChoice, steps: number[][], final: number[] }
const { keras, start, gradients, expected } = JSON.parse(readFileSync(new URL('../fixtures/optimizers/expected.json', import.meta.url), 'utf8')) as {
  keras: string, start: number[][], gradients: number[][][], expected: Record<string, Expected>
}

const values = (variables: Variable[]) => variables.flatMap(variable => [...variable.dataSync()])
const near = (actual: number[], wanted: number[], what: string) => {
  for (const [i, value] of actual.entries()) assert.ok(Math.abs(value - wanted[i]) < 2e-6, `${what}, ${i}: ${value} in place of ${wanted[i]}`)
}

/** A step operation by operation. */
const plainly = (optimizer: GroupedOptimizer, named: Record<string, Tensor>) => optimizer.applyGradients(named)

/** A step as one function of TensorFlow, made anew each time. */
function asFunction(optimizer: GroupedOptimizer, named: Record<string, Tensor>): void {
  const { write } = tracer()!, names = Object.keys(named), variables = names.map(name => tf.engine().registeredVariables[name])
  const numbers = tf.tensor1d(optimizer.numbersFor(names))
  optimizer.prepare(variables)
  write([numbers], () => {
    optimizer.applyWith(named, numbers)
    return []
  }).callNow([numbers])
  optimizer.stepped()
}

for (const [how, engine, step] of [['operation by operation on WASM', 'wasm', plainly], ['as one function of TensorFlow', 'tensorflow', asFunction]] as const) {
  describe(`weights after each step are those of Keras ${keras}, ${how}`, { skip: engine === 'tensorflow' && withoutTensorFlow }, () => {
    before(() => tf.setBackend(engine))
    for (const [name, { settings, steps, final }] of Object.entries(expected)) {
      test(name, () => {
        const optimizer = optimizerFrom(settings, () => 0.05) as GroupedOptimizer, variables = start.map(value => tf.variable(tf.tensor(value)))
        for (const [i, each] of gradients.entries()) {
          if (i === 6) optimizer.rateOf = () => 0.01
          step(optimizer, Object.fromEntries(variables.map((variable, v) => [variable.name, tf.tensor(each[v])])))
          near(values(variables), steps[i], `step ${i + 1}`)
        }
        optimizer.average()
        near(values(variables), final, 'at the end')
      })
    }
  })
}

for (const [title, choice, message] of [
  ['an unknown optimizer', { name: 'adan' }, /unknown optimizer: 'adan'\. Did you mean 'adam'\?/],
  ['an unknown setting', { name: 'adam', beta: 0.9 }, /optimizer: unknown setting 'beta'\. Did you mean 'beta1'\?/],
  ['a momentum of one', { name: 'adam', beta1: 1 }, /optimizer\.beta1 must be a number from 0 to below 1; received 1\./],
  ['half an accumulation', { name: 'sgd', accumulate: 1.5 }, /optimizer\.accumulate must be a whole number above 0; received 1\.5\./],
  ['two ways to clip', { name: 'sgd', clipNorm: 1, clipValue: 1 }, /expected one of clipNorm, globalClipNorm and clipValue; received clipNorm and clipValue\./],
] as const) test(`${title} is refused`, () => {
  assert.throws(() => optimizerFrom(choice as never, () => 1), message)
})
