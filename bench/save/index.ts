/**
 * How long a model of about 100 MB takes to save and load, beside Keras's own time for the same file format.
 *
 *     node bench/save/index.ts            (GRAFT_PYTHON names the Python with Keras)
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'

const python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-bench-save-'))
const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
const time = async (work: () => Promise<unknown>, runs = 5) => {
  const times: number[] = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return { first: times[0], median: median(times) }
}

try {
  // As a ResNet has it: many layers, most of the weight in few of them.
  const units = [256, 512, 1024, 2048].flatMap(size => Array.from({ length: 18 }, (_, i) => (i % 3 === 2 ? size : size / 4)))
  const model = tf.sequential({
    layers: units.map((size, i) => tf.layers.dense({ ...(i === 0 ? { inputShape: [256] } : {}), units: size })),
  })
  for (const layer of model.layers) layer.setWeights(layer.getWeights().map(weight => tf.randomNormal(weight.shape)))
  const path = join(folder, 'graft.h5'),
    bytes = (await save(model, path)).bytes
  const ours = { save: await time(() => save(model, path)), load: await time(async () => (await load(path)).dispose()) }
  const script = `
import json, statistics, sys, time
import keras
model = keras.models.load_model(sys.argv[1], compile=False)
def timed(work):
    times = []
    for _ in range(5):
        start = time.perf_counter(); work(); times.append(1000 * (time.perf_counter() - start))
    return {'first': times[0], 'median': statistics.median(times)}
saving, loading = timed(lambda: model.save(sys.argv[2])), timed(lambda: keras.models.load_model(sys.argv[2], compile=False))
print(json.dumps({'save': saving, 'load': loading}))`
  const theirs = JSON.parse(
    execFileSync(python, ['-c', script, path, join(folder, 'keras.h5')], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
    })
      .toString()
      .trim()
      .split('\n')
      .at(-1)!,
  ) as typeof ours
  console.log(
    `${(bytes / 1e6).toFixed(0)} MB, ${model.countParams().toLocaleString('en-US')} parameters in ${units.length} ` +
      `layers; milliseconds, median of 5`,
  )
  for (const what of ['save', 'load'] as const) {
    console.log(
      `${what}: Graft ${ours[what].median.toFixed(0)}${what === 'save' ? ' (with read-back and fsync)' : ''}, Keras 3 ` +
        `${theirs[what].median.toFixed(0)}: ${(ours[what].median / theirs[what].median).toFixed(2)} ×`,
    )
  }
} finally {
  rmSync(folder, { recursive: true })
}
