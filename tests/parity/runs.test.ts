import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { extract } from '../../lib/customize/extract.ts'
import { runs } from '../../lib/runs/runs.ts'
import { train } from '../../lib/train/train.ts'
import { colours, trunk } from '../unit/lib/train/fixtures.ts'
import { python, skip } from './save/python.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-tensorboard-'))
process.env.GRAFT_RUNS = join(folder, 'runs')
after(() => rmSync(folder, { recursive: true, force: true }))

/** What TensorFlow's own reader finds, checksums and all: [part, tag, step, value]. */
const reader = `
import glob, json, sys
import tensorflow as tf
found = []
for part in ('train', 'validation'):
  for file in sorted(glob.glob(sys.argv[1] + '/' + part + '/*tfevents*')):
    for record in tf.data.TFRecordDataset(file):
      event = tf.compat.v1.Event.FromString(record.numpy())
      found += [[part, value.tag, event.step, value.simple_value] for value in event.summary.value]
      assert event.wall_time > 1.7e9 and (event.summary.value or event.file_version == 'brain.Event:2')
print(json.dumps(found))`

test('TensorFlow reads the events of the run log and of an export: every measure of every epoch', { skip }, async () => {
  const data = await colours(48, 12, 0.25)
  const options = { epochs: 3, learningRate: 0.05, schedule: 'cosine', show: false } as const
  const run = await train(extract(trunk(), { classes: data.classes }), data, options)
  await train.resume(run, { epochs: 5, show: false })
  runs.export(run, join(folder, 'out'))
  const names: [string, string, number[]][] = [
    ['train', 'epoch_loss', run.history.loss], ['train', 'epoch_accuracy', run.history.accuracy], ['train', 'epoch_learning_rate', run.rates],
    ['validation', 'epoch_loss', run.history.valLoss], ['validation', 'epoch_accuracy', run.history.valAccuracy],
  ]
  const wanted = names.flatMap(([part, tag, values]) => values.map((value, step) => [part, tag, step, Math.fround(value)]))
  for (const place of [join(folder, 'out'), join(runs.folder!, run.id)]) {
    const found = JSON.parse(execFileSync(python, ['-c', reader, place], { env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } })
      .toString().trim().split('\n').at(-1)!) as unknown[]
    const sorted = (rows: unknown[]) => rows.map(row => JSON.stringify(row)).toSorted()
    assert.deepEqual(sorted(found), sorted(wanted))
  }
})
