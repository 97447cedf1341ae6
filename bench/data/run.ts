// Reading images: data.images against keras.utils.image_dataset_from_directory, on the same JPEGs, in the same minute.
//   node bench/data/run.ts [count=400] [rounds=3]
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { photos } from './photos.ts'

const [count = 400, rounds = 3] = process.argv.slice(2).map(Number)
const python = process.env.GRAFT_PYTHON ?? join(import.meta.dirname, '..', '..', '.graft', 'python-tests', 'bin', 'python')
process.env.GRAFT_TENSORFLOW ??= dirname(dirname(python))
const { engine } = await import('../../lib/engine/index.ts'), { images } = await import('../../lib/data/images.ts')
const folder = mkdtempSync(join(tmpdir(), 'graft-bench-data-'))

/** Seconds of the first pass, from the folder's name to the last batch of pixels, and of the second. */
async function ours(): Promise<number[]> {
  const log = console.log
  console.log = () => {}
  const begun = performance.now(), times: number[] = []
  const data = await images(folder, { size: 224, range: [0, 1] })
  for (let pass = 0; pass < 2; pass++) {
    let n = 0
    for await (const { pixels } of data.train.batches(32)) n += pixels.length
    if (n !== count * 224 * 224 * 3) throw new Error(`${n} values of ${count} images`)
    times.push((performance.now() - begun) / 1000 - times.reduce((a, b) => a + b, 0))
  }
  console.log = log
  return times
}

function keras(): number[] {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' }
  const said = execFileSync(python, [join(import.meta.dirname, 'with_keras.py'), folder], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  return JSON.parse(said.toString().trim().split('\n').at(-1)!)
}

try {
  await photos(folder, count)
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]
  const rows: { ours: number[], keras: number[] }[] = []
  console.log(String(engine()))
  console.log(`${count} JPEGs of 640 × 480 to 224 × 224, images per second`)
  console.log('round  first pass: Graft  Keras   second pass: Graft  Keras')
  for (let round = 1; round <= rounds; round++) {
    const row = { ours: await ours(), keras: keras() }
    rows.push(row)
    const rates = row.ours.flatMap((seconds, pass) => [seconds, row.keras[pass]]).map(seconds => (count / seconds).toFixed(0))
    console.log([round, ...rates].map((cell, i) => String(cell).padStart([5, 19, 7, 21, 7][i])).join(''))
  }
  const ratio = (of: (times: number[]) => number) => median(rows.map(row => of(row.keras) / of(row.ours))).toFixed(2)
  console.log(`Graft / Keras, median of the rounds: ${ratio(([first]) => first)} in the first pass, ${ratio(([, next]) => next)} ` +
    `in each later one, ${ratio(([first, next]) => first + 4 * next)} over five epochs`)
} finally {
  rmSync(folder, { recursive: true })
}
