import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freeze } from '../../../lib/customize/freeze.ts'
import { extract } from '../../../lib/customize/extract.ts'
import { images } from '../../../lib/data/images.ts'
import { hub } from '../../../lib/hub/index.ts'
import { root } from '../../../install/place.js'
import { save } from '../../../lib/save/index.ts'
import { tf } from '../../../lib/tf.ts'
import { train } from '../../../lib/train/index.ts'
import { writeNotebook } from '../../notebooks/write.ts'

let folder: string
before(() => { folder = mkdtempSync(join(tmpdir(), 'graft-sweep-')) })
after(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the command as a job of an array, or not as one. */
function graft(args: string[], task?: number): Promise<{ status: number | null, out: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, GRAFT_RUNS: join(folder, 'runs'), GRAFT_CACHE_DIR: join(folder, 'cache') }
  delete env.SLURM_ARRAY_TASK_ID
  if (task !== undefined) env.SLURM_ARRAY_TASK_ID = String(task)
  const child = spawn(process.execPath, [join(root, 'cli', 'graft.js'), ...args], { cwd: folder, env })
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', text => { out += text })
  return new Promise(done => child.on('close', status => done({ status, out })))
}

test('a sweep as an array of jobs: the runs lie together, a failed job is named, the others are kept', async () => {
  const notebook = writeNotebook(join(folder, 'lesson.ipynb'),
    { source: 'const seed = 1, units: number = 2', tags: ['parameters'] },
    'console.log(seed)\nif (units === 3) throw new Error("three units are too many")',
    `const x = tf.tensor2d([[0, 1], [1, 0], [0, 2], [2, 0]]).reshape([4, 1, 1, 2])
const head = tf.layers.dense({ units, activation: 'softmax' })
const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [1, 1, 2] }), head] })
await train(model, await data.tensors(x, [0, 1, 0, 1], { classes: ['a', 'b'] }), { epochs: 2, show: false })`)
  const sweep = ['sweep', notebook, '-p', 'seed=5,6', '-p', 'units=2,3', '-o', 'out']
  const jobs = await Promise.all([0, 1, 2].map(task => graft(sweep, task)))
  assert.deepEqual(jobs.map(({ status }) => status), [0, 1, 0], jobs.map(({ out }) => out).join('\n'))
  const before = await graft([...sweep, '--status'])
  assert.equal(before.status, 1)
  assert.match(before.out, /2 of 4 jobs are done/)
  assert.match(before.out, /Job 1 failed \(seed=5, units=3, on .*\): .*three units are too many/)
  assert.match(before.out, /Job 3 has not ended \(seed=6, units=3\)/)
  for (const title of ['seed=5, units=2', 'seed=6, units=2'])
    assert.match(before.out, new RegExp(`^${title} .*\\d %$`, 'm'), 'the runs beside each other')
  assert.deepEqual(readdirSync(join(folder, 'out')).sort(),
    [0, 1, 2].flatMap(task => [`job-000${task}.ipynb`, `job-000${task}.json`]))
})

test('what a sweep cannot use is said before anything runs', async () => {
  for (const [args, message, task] of [
    [['sweep', 'x.ipynb'], /expected a notebook, values and a folder/],
    [['sweep', 'x.ipynb', '-p', 'a=1,2', '-o', 'out'], /SLURM_ARRAY_TASK_ID must be a number from 0 to 1; received 7/, 7],
    [['features', 'model', 'images', '--shards', '2'], /which of the 2 shards/],
    [['features', 'model'], /expected a model and a folder/],
  ] as [string[], RegExp, number?][]) {
    const { status, out } = await graft(args, task)
    assert.equal(status, 2, out)
    assert.match(out, message)
  }
})

test('features of a folder, computed in shards at once, are all there for a training; a bad image is named', async () => {
  const L = tf.layers, pictures = join(folder, 'images')
  cpSync(join(root, 'notebooks', 'images', 'digits', 'train', '3'), join(pictures, '3'), { recursive: true })
  cpSync(join(root, 'notebooks', 'images', 'digits', 'train', '8'), join(pictures, '8'), { recursive: true })
  // Large enough that its features are worth a file.
  const trunk = tf.sequential({ layers: [
    L.conv2d({ inputShape: [48, 48, 3], filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' }),
    L.conv2d({ filters: 128, kernelSize: 3, padding: 'same', activation: 'relu' }), L.globalAveragePooling2d({}),
  ] })
  const handle = join(folder, 'trunk')
  await save(trunk, handle, { format: 'SavedModel' })
  mkdirSync(join(pictures, '3'), { recursive: true })
  writeFileSync(join(pictures, '3', 'broken.png'), 'no picture')
  const shards = await Promise.all([0, 1, 2].map(shard => graft(['features', handle, pictures, '--shards', '3'], shard)))
  assert.equal(shards.filter(({ status }) => status === 1).length, 1, shards.map(({ out }) => out).join('\n'))
  assert.match(shards.find(({ status }) => status === 1)!.out, /broken\.png: not an image/)
  process.env.GRAFT_CACHE_DIR = join(folder, 'cache')
  const base = await hub.load(handle), set = await images(pictures, { size: base })
  const model = extract(base, { classes: set.classes })
  freeze(base)
  const run = await train(model, set, { epochs: 1, show: false, log: false })
  delete process.env.GRAFT_CACHE_DIR
  assert.equal(run.trunkForwards, 0, 'features were computed again')
})
