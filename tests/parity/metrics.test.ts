import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { tf } from '../../lib/tf.ts'
import { objectiveOf } from '../../lib/train/objective.ts'
import { factorOf, Lowering, type Schedule } from '../../lib/train/schedules.ts'

interface Measured { classes: number, truth: number[], prediction: number[], measured: Record<string, number> }
const { steps, perEpoch, schedules, plateaus, metrics } = JSON.parse(readFileSync(new URL('../fixtures/training/numbers.json', import.meta.url),
  'utf8')) as { steps: number, perEpoch: number, schedules: Record<string, number[]>, metrics: Record<string, Measured>
    plateaus: { losses: number[], options: Record<string, number>, rates: number[] }[] }

const ours: Record<string, [Schedule, warmup?: number]> = {
  cosine: ['cosine'], 'cosine, warmup': ['cosine', 16], step: [{ every: 2, factor: 0.3 }], exponential: [{ exponential: 0.8 }], linear: ['linear'],
}
for (const [name, rates] of Object.entries(schedules)) {
  test(`schedule ${name}: Keras's learning rate at each step`, () => {
    const [schedule, warmup = 0] = ours[name], factor = factorOf(schedule, { steps, perEpoch, warmup })
    rates.forEach((rate, step) => assert.ok(Math.abs(0.02 * factor(step) - rate) < 1e-8, `step ${step}: ${0.02 * factor(step)}, Keras ${rate}`))
  })
}

for (const { losses, options, rates } of plateaus) {
  test(`plateau ${JSON.stringify(options)}: Keras's learning rate after each epoch`, () => {
    const { patience, factor, min_delta, cooldown, min_lr } = options
    const lowering = new Lowering({ plateau: patience, factor, minDelta: min_delta, cooldown, least: min_lr }, true, ['valLoss'])
    const history = { loss: [], valLoss: [] as number[] }
    const found = losses.map(loss => {
      history.valLoss.push(loss)
      lowering.add(history, 0.1 * lowering.factor)
      return 0.1 * lowering.factor
    })
    found.forEach((rate, i) => assert.ok(Math.abs(rate / rates[i] - 1) < 1e-6, `epoch ${i + 1}: ${rate}, Keras ${rates[i]}`))
  })
}

for (const [name, { classes, truth, prediction, measured }] of Object.entries(metrics)) {
  test(`metrics of ${name}: what Keras measures, over batches of any size`, () => {
    const model = tf.sequential({ layers: [tf.layers.dense({ units: classes, inputShape: [2], activation: classes > 1 ? 'softmax' : 'sigmoid' })] })
    const goal = objectiveOf(model, undefined, Object.keys(measured)), count = truth.length / classes
    for (const batch of [count, 9]) {
      const sums: number[] = []
      for (let at = 0; at < count; at += batch) {
        const rows = Math.min(batch, count - at), slice = (values: number[]) =>
          tf.tensor2d(values.slice(at * classes, (at + rows) * classes), [rows, classes])
        const means = tf.tidy(() => {
          const [y, p] = [slice(truth), slice(prediction)]
          return tf.concat(Object.values(goal.metrics).map(metric => metric(y, p)).map(value => value.rank > 1 ? value.mean(0) : value.mean().flatten()))
        })
        means.dataSync().forEach((value, i) => { sums[i] = (sums[i] ?? 0) + value * rows / count })
        means.dispose()
      }
      const [, ...found] = goal.read([0, ...sums])
      for (const [i, [metric, expected]] of Object.entries(measured).entries()) {
        assert.ok(Math.abs(found[i] - expected) < 1e-5, `${metric}: ${found[i]}, Keras ${expected}`)
      }
    }
  })
}
