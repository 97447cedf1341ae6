import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ticks } from '../../../../lib/show/line-chart.ts'
import type { RunView } from '../../../../lib/show/run-view.ts'
import { trainingPlot, trainingText } from '../../../../lib/show/training.ts'
import { golden } from '../../../golden.ts'
import { checkPicture } from './pictures.ts'
import { finishedRun, runningRun, scheduledRun } from './samples.ts'

test('a finished run is a plot in SVG, PNG and text', async () => {
  const bundle = trainingPlot(finishedRun())
  golden('show/training-finished.svg', bundle['image/svg+xml'] as string)
  golden('show/training-finished.txt', bundle['text/plain'] as string)
  await checkPicture(bundle)
})

test('the learning rate is drawn where it changed, and where layers began to learn', () => {
  const bundle = trainingPlot(scheduledRun())
  golden('show/training-scheduled.svg', bundle['image/svg+xml'] as string)
  golden('show/training-scheduled.txt', bundle['text/plain'] as string)
  const svgOf = (run: RunView) => trainingPlot(run)['image/svg+xml'] as string
  assert.doesNotMatch(svgOf(finishedRun()), />Learning rate</, 'a constant one is a word')
  const decades = svgOf({ ...scheduledRun(), rates: [1e-1, 1e-2, 1e-3, 1e-4, 1e-5] })
  for (const tick of ['0.1', '0.01', '1e-5']) assert.ok(decades.includes(`>${tick}</text>`), tick)
})

test('a run that goes on is drawn without the PNG, which would cost the training time', () => {
  const bundle = trainingPlot(runningRun())
  golden('show/training-running.svg', bundle['image/svg+xml'] as string)
  golden('show/training-running.txt', bundle['text/plain'] as string)
  assert.deepEqual(Object.keys(bundle), ['image/svg+xml', 'text/plain'])
})

const bare: RunView = { epochs: 3, seconds: 1, history: { loss: [3, 2, 1] } }

for (const [name, run, expected] of [
  [
    'before the first epoch',
    { ...bare, history: { loss: [] }, finished: false, batchLosses: [2.5, 2.4] },
    /^Training: epoch 1 of 3$/,
  ],
  ['one epoch', { ...bare, epochs: 1, history: { loss: [0.5] } }, /^Training: 1 epoch in 1\.0 s\n/],
  ['stopped early', { ...bare, epochs: 9, stopped: 'interrupted' }, /^Training: interrupted after 3 of 9 epochs\n/],
  ['a loss that is not a number', { ...bare, history: { loss: [1, Infinity, NaN] } }, / 2 +Infinity\n +3 +NaN/],
  ['losses all the same', { ...bare, history: { loss: [0, 0, 0] } }, /loss 0\.0000/],
  ['a negative loss', { ...bare, history: { loss: [-1, -2, -3.5] } }, /-3\.5000/],
  [
    'another measure',
    { ...bare, history: { loss: [1], meanAbsoluteError: [9], valLoss: [2] } },
    /epoch +loss +val loss +meanAbsoluteError/,
  ],
  ['a title and notes', { ...bare, title: 'Digits', notes: ['Seed 4.'] }, /^Digits: 3 epochs[^]*\nSeed 4\.$/],
] as [string, RunView, RegExp][]) {
  test(`a run can be drawn: ${name}`, () => {
    const bundle = trainingPlot(run)
    assert.match(bundle['text/plain'] as string, expected)
    assert.doesNotMatch(
      bundle['image/svg+xml'] as string,
      / (x|y|d|[xy][12]|c[xy]|width|height|transform)="[^"]*(NaN|Infinity|undefined)/,
    )
  })
}

test('a long run keeps its first, best and last epochs in the text', () => {
  const loss = Array.from({ length: 300 }, (_, i) => 1 + Math.abs(i - 99) / 100)
  const lines = trainingText({ epochs: 300, seconds: 60, history: { loss }, bestEpoch: 100 }).split('\n').slice(4)
  assert.deepEqual(
    lines.map(line => line.trim().split(/ +/)[0]),
    ['1', '2', '3', '…', '100', '…', ...Array.from({ length: 10 }, (_, i) => String(291 + i))],
  )
  assert.match(lines[4], /← best$/)
})

test('a title is escaped', () => {
  assert.match(trainingPlot({ ...bare, title: '<b>&' })['image/svg+xml'] as string, /&#60;b&#62;&#38;/)
})

test('ticks are round numbers', () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1])
  assert.deepEqual(ticks(1, 10, 9), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  assert.deepEqual(ticks(0, 2.35, 5), [0, 0.5, 1, 1.5, 2])
  assert.deepEqual(ticks(-5, -1, 4), [-5, -4, -3, -2, -1])
  assert.deepEqual(ticks(3, 3, 5), [3])
})
