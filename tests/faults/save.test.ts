import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'

const child = new URL('./save/child.ts', import.meta.url).pathname
/** 20 in every run of the suite; `GRAFT_KILLS=100 node --test tests/faults/save.test.ts` for more. */
const kills = Number(process.env.GRAFT_KILLS ?? 20)

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'graft-faults-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const ended = (process: ChildProcess) => new Promise<void>(done => process.on('exit', () => done()))
const ready = (process: ChildProcess) =>
  new Promise<void>((done, fail) => {
    process.stdout!.on('data', text => {
      if (String(text).includes('ready')) done()
    })
    process.on('exit', code => fail(new Error(`the child ended with ${code}`)))
  })

const formats = ['killed.h5', 'killed.keras', 'killed/model.json', 'killed-folder/1/saved_model.pb']

test(`killed ${kills} times while it overwrites a model, the file always opens`, async context => {
  const seen = new Map<string, number>()
  const unfinished = () => readdirSync(folder, { recursive: true }).filter(name => /\.(part|lock|old)$/.test(String(name)))
  let orphans = 0
  for (let i = 0; i < kills; i++) {
    const name = formats[i % formats.length], path = join(folder, name)
    const process_ = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child, 'overwrite', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const gone = ended(process_)
    await ready(process_)
    await new Promise(done => setTimeout(done, Math.random() * 120))
    process_.kill('SIGKILL')
    await gone
    if (unfinished().some(each => String(each).endsWith('.part'))) orphans++
    const value = await oneNumber(path)
    seen.set(`${name} ${value}`, (seen.get(`${name} ${value}`) ?? 0) + 1)
  }
  for (const name of formats) await save(tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] }),
    join(folder, name))
  assert.deepEqual(unfinished(), [], 'temporary files and locks of killed processes were not swept')
  assert.equal(readdirSync(join(folder, 'killed')).length, 2, 'shards of models that are gone were not removed')
  assert.deepEqual(readdirSync(join(folder, 'killed-folder')), ['1'], 'folders that were replaced were not removed')
  context.diagnostic(
    `found ${[...seen].map(([value, times]) => `model ${value} ${times} times`).join(', ')}; ` +
      `${orphans} kills fell while a file was being written`,
  )
})

/** The one number that the model in a file is of. */
async function oneNumber(path: string): Promise<number> {
  const model = await load(path), values = new Set(model.getWeights()[0].dataSync())
  model.dispose()
  assert.equal(values.size, 1, `a mixture of two models in ${path}: ${[...values]}`)
  return [...values][0]
}

test('two processes that save to one path never mix', async () => {
  for (const name of ['two.h5', 'two/model.json', 'two-folder/1/saved_model.pb']) {
    const path = join(folder, name)
    const writers = [1, 2].map(() => spawn(process.execPath,
      ['--disable-warning=ExperimentalWarning', child, 'overwrite', path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }))
    await Promise.all(writers.map(ready))
    for (let i = 0; i < 5; i++) await oneNumber(path)
    for (const writer of writers) writer.kill('SIGKILL')
    await Promise.all(writers.map(ended))
    await oneNumber(path)
  }
})

/** Runs a command in a mount namespace of its own, as its root: what it mounts is gone with it. */
const inNamespace = (script: string, ...args: string[]) =>
  spawnSync('unshare', [...(process.getuid?.() === 0 ? ['-m'] : ['-r', '-m']), 'sh', '-ec', script, 'sh', ...args], {
    encoding: 'utf8',
  })

describe(
  'on disks that take no file',
  {
    skip:
      inNamespace('mount -t tmpfs -o size=64k tmpfs /tmp').status !== 0 &&
      'no small file system can be mounted here (unshare, mount)',
  },
  () => {
    const run = (prepare: string, model: string) => {
      const disk = mkdtempSync(join(folder, 'disk-'))
      const script = [
        `mount -t tmpfs -o size=1m tmpfs "$1"; printf old > "$1/${model}"`,
        prepare,
        `"$2" --disable-warning=ExperimentalWarning "$3" once "$1/${model}"; echo`,
        `cat "$1/${model}"; echo; ls -A "$1"`,
      ].join('\n')
      const { stdout, stderr } = inNamespace(script, disk, process.execPath, child)
      const lines = stdout
        .trim()
        .split('\n')
        .filter(line => line !== '')
      assert.ok(lines.length > 2, stderr)
      const [result, old, ...names] = lines
      return { result: JSON.parse(result) as { name?: string; message?: string }, old, names }
    }
    for (const [what, prepare, message] of [
      ['a full disk', ':', /the disk is full.*needs 2\.4 MB.*are free/],
      ['a read-only disk', 'mount -o remount,ro "$1"', /the disk is read-only|the file is read-only/],
    ] as const) {
      for (const model of ['model.h5', 'model.keras', 'model.json',
        'model.weights.h5']) test(`${what}, ${model}: a clear error, the old file untouched, nothing left`, () => {
        const { result, old, names } = run(prepare, model)
        assert.equal(result.name, 'GraftError')
        assert.match(result.message!, message)
        assert.equal(old, 'old')
        assert.deepEqual(names, [model])
      })
    }
  },
)

test(
  'a folder of another user: a clear error, nothing left',
  { skip: process.getuid?.() !== 0 && 'needs root, to become another user' },
  () => {
    const place = mkdtempSync(join(folder, 'theirs-'))
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', child, 'once', join(place, 'model.h5'), 'as-nobody'],
      { encoding: 'utf8' },
    )
    const result = JSON.parse(stdout.trim().split('\n').at(-1) || `{"message": ${JSON.stringify(stderr)}}`)
    assert.equal(result.name, 'GraftError', stdout + stderr)
    assert.match(result.message, /no permission/)
    assert.deepEqual(readdirSync(place), [])
  },
)

test('a folder where the file should be stays what it is', async () => {
  const place = join(folder, 'folder.h5')
  mkdirSync(place)
  writeFileSync(join(place, 'inside'), 'kept')
  const model = tf.sequential({ layers: [tf.layers.dense({ inputShape: [2], units: 1 })] })
  await assert.rejects(save(model, place), { name: 'GraftError', message: /it is a folder/ })
  assert.equal(readFileSync(join(place, 'inside'), 'utf8'), 'kept')
})
