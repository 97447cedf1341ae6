// A million images by their index, none of them decoded: the split, the sets, the keys of the caches, the order of epochs and
// the run log, each with its time and the memory that it keeps, for eight times as many images each time. An exponent of 1 is
// linear: eight times as many take eight times as long.
//   node --expose-gc bench/scale/run.ts [images=1000000] [rounds=3]
import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomFrom, shuffled } from '../../lib/data/random.ts'
import { ImageSet, type Item, type Source } from '../../lib/data/set.ts'
import { split } from '../../lib/data/split.ts'
import { RunLog } from '../../lib/runs/log.ts'
import { featureKey } from '../../lib/train/feature-store.ts'
import { digestOf } from '../../lib/train/keeper.ts'
import { Run } from '../../lib/train/run.ts'

interface Stage { name: string, seconds: number, bytes: number }

const classes = Array.from({ length: 100 }, (_, i) => `class ${i}`), batch = 32, epochs = 3
const collect = (globalThis as { gc?: () => void }).gc

/** Goes through all stages for so many images, in this process. */
function measure(count: number): Stage[] {
  const stages: Stage[] = []
  const stage = <T>(name: string, work: () => T): T => {
    collect!()
    const before = process.memoryUsage(), start = performance.now(), result = work(), seconds = (performance.now() - start) / 1000
    collect!()
    const after = process.memoryUsage()
    stages.push({ name, seconds, bytes: after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers })
    return result
  }
  const items = stage('images: files, classes, contents', () => Array.from({ length: count }, (_, key): Item => ({
    key, label: key % classes.length, file: `photos/${classes[key % classes.length]}/${key}.jpg`,
    id: `${createHash('sha256').update(String(key)).digest('hex').slice(0, 32)} 224x224x3 0..1`,
  })))
  const source: Source = { classes, shape: [224, 224, 3], range: [0, 1], pixels: none, bitmap: none }
  const parts = stage('split, class by class', () => split(items.map(({ label }) => label), items.map(({ id }) => id), 0.2, 1))
  const [train, validation] = stage('training and validation set', () =>
    [parts.kept, parts.taken].map(places => new ImageSet(source, places.map(i => items[i]))))
  stage('keys of the feature cache', () => train.ids.forEach(id => featureKey(id)))
  stage('fingerprint of the data', () => digestOf({ train, validation }))
  stage(`order and batches of ${epochs} epochs`, () => {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffled(Array.from(train.labels.keys()), randomFrom(1, 'order', epoch))
      for (let at = 0; at < order.length; at += batch) order.slice(at, at + batch)
    }
  })
  stage(`run log of ${epochs} epochs`, () => {
    const run = new Run('bench', {
      epochs, batch, seed: 1, optimizer: 'adam', learningRate: 1e-3, loss: 'categoricalCrossentropy', engine: 'none',
      images: { train: train.length, validation: validation.length }, weights: { trainable: 1, total: 1 },
    })
    const data = { source: 'photos', options: {} }
    const { log } = RunLog.begin(run, { settings: {}, lacking: [], data, images: '', frozen: '', model: 'bench' })
    for (let epoch = 1; epoch <= epochs; epoch++) {
      run.batchLosses = Array.from({ length: Math.ceil(train.length / batch) }, (_, i) => 1 / (i + epoch))
      run.history.loss.push(1 / epoch)
      log!.epoch({ last: epoch, best: epoch, state: {} }, [])
    }
    log!.end()
  })
  return stages
}

function none(): never {
  throw new Error('an image was asked for')
}

const [first, second] = process.argv.slice(2)
if (first === '--one') {
  console.log(JSON.stringify({ stages: measure(Number(second)), peak: process.resourceUsage().maxRSS * 1024 }))
} else {
  const most = Number(first ?? 1_000_000), rounds = Number(second ?? 3)
  const counts = Array.from({ length: rounds }, (_, i) => Math.round(most / 8 ** (rounds - 1 - i)))
  const folder = mkdtempSync(join(tmpdir(), 'graft-scale-'))
  const results = counts.map(count => {
    const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', import.meta.filename, '--one', String(count)]
    const { stdout, stderr } = spawnSync(process.execPath, args,
      { encoding: 'utf8', env: { ...process.env, GRAFT_RUNS: join(folder, String(count)) } })
    if (!stdout) throw new Error(stderr)
    return JSON.parse(stdout) as { stages: Stage[], peak: number }
  })
  rmSync(folder, { recursive: true })
  const exponent = (values: number[]) => (Math.log(values.at(-1)! / values.at(-2)!) / Math.log(8)).toFixed(2)
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
  const heads = counts.map(count => `${count.toLocaleString('en')} images`)
  console.log(`| | ${heads.join(' | ')} | exponent of time | of memory |\n|---|${counts.map(() => '---|').join('')}---|---|`)
  results[0].stages.forEach(({ name }, i) => {
    const all = results.map(({ stages }) => stages[i]), kept = all.at(-1)!.bytes > 2 ** 20
    const cells = all.map(({ seconds, bytes }) => `${seconds.toFixed(2)} s${bytes > 2 ** 20 ? `, ${mebibytes(bytes)}` : ''}`)
    const memory = kept ? exponent(all.map(({ bytes }) => Math.max(bytes, 1))) : 'little is kept'
    console.log(`| ${name} | ${cells.join(' | ')} | ${exponent(all.map(({ seconds }) => seconds))} | ${memory} |`)
  })
  console.log(`| the most memory the process had | ${results.map(({ peak }) => mebibytes(peak)).join(' | ')} | | |`)
}
