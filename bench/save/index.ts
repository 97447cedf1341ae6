/**
 * How long a model of about 100 MB takes to save and load, beside Keras's own time for the same file format.
 *
 *     node bench/save/index.ts            (GRAFT_PYTHON names the Python with Keras)
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'

const python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-bench-save-'))
const rounds = 7
const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]
const time = async (work: () => Promise<unknown>) => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

try {
  // As a ResNet has it: many layers, most of the weight in few of them.
  const units = [256, 512, 1024, 2048].flatMap(size => Array.from({ length: 24 }, (_, i) => (i % 3 === 2 ? size : size / 4)))
  const model = tf.sequential({
    layers: units.map((size, i) => tf.layers.dense({ ...(i === 0 ? { inputShape: [256] } : {}), units: size })),
  })
  for (const layer of model.layers) layer.setWeights(layer.getWeights().map(weight => tf.randomNormal(weight.shape)))
  const path = join(folder, 'graft.h5'),
    bytes = (await save(model, path)).bytes
  const script = `
import sys, time
import keras
model = keras.models.load_model(sys.argv[1], compile=False)
print('ready', flush=True)
for what in sys.stdin:
    start = time.perf_counter()
    model.save(sys.argv[2]) if what.strip() == 'save' else keras.models.load_model(sys.argv[2], compile=False)
    print(1000 * (time.perf_counter() - start), flush=True)`
  const keras = spawn(python, ['-c', script, path, join(folder, 'keras.h5')], {
    stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
  })
  const answers = createInterface(keras.stdout)[Symbol.asyncIterator]()
  await answers.next()
  const theirs = async (what: string) => {
    keras.stdin.write(`${what}\n`)
    return Number((await answers.next()).value)
  }
  console.log(`${(bytes / 1e6).toFixed(0)} MB, ${model.countParams().toLocaleString('en-US')} parameters in ${units.length} ` +
    `layers; milliseconds, median of ${rounds}, in turn`)
  const works = { save: () => save(model, path), load: async () => (await load(path)).dispose() }
  for (const [what, work] of Object.entries(works)) {
    const times: [graft: number, keras: number][] = []
    for (let round = 0; round < rounds; round++) times.push([await time(work), await theirs(what)])
    const [graft, peer] = [0, 1].map(i => median(times.map(pair => pair[i])))
    console.log(`${what}: Graft ${graft.toFixed(0)}${what === 'save' ? ' (with read-back and fsync)' : ''}, Keras 3 ` +
      `${peer.toFixed(0)}: ${(graft / peer).toFixed(2)} ×; rounds ${times.map(([a, b]) => (a / b).toFixed(2)).join(' ')}`)
  }
  keras.stdin.end()
} finally {
  rmSync(folder, { recursive: true })
}
