import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { extract } from '../../lib/customize/extract.ts'
import { images } from '../../lib/data/images.ts'
import { readCheckpoint } from '../../lib/runs/log.ts'
import { readRecord } from '../../lib/runs/record.ts'
import { runs } from '../../lib/runs/runs.ts'
import { train } from '../../lib/train/train.ts'
import { classFolders, folderOf } from '../unit/lib/data/folders.ts'
import { trunk } from '../unit/lib/train/fixtures.ts'

/** 3 in every run of the suite; `GRAFT_KILLS=100 node --test tests/faults/train.test.ts` for more. */
const kills = Number(process.env.GRAFT_KILLS ?? 3)

const folder = mkdtempSync(join(tmpdir(), 'graft-kill-'))
process.env.GRAFT_RUNS = join(folder, 'runs')
const photos = folderOf(await classFolders({ a: 20, b: 20, c: 20 }))
after(() => {
  rmSync(folder, { recursive: true, force: true })
  photos[Symbol.dispose]()
})

const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
const script = join(folder, 'train.mjs')
writeFileSync(script, `
  const { data, train, customize } = await import(${url('../../lib/index.ts')})
  const { trunk } = await import(${url('../unit/lib/train/fixtures.ts')})
  const photos = await data.images(${JSON.stringify(photos.folder)}, { size: 12, range: [0, 1], validation: 0.2, batch: 4 })
  const model = customize.extract(trunk(), { classes: photos.classes, dropout: 0.2, show: false })
  const training = train(model, photos, { epochs: 60, learningRate: 0.01, show: false })
  console.log('run ' + training.run.id)
  let told = 0
  const tell = () => {
    const done = training.run.history.loss.length
    if (done > told && training.run.batchLosses.length) console.log('epoch ' + (told = done))
    setImmediate(tell).unref()
  }
  tell()
  await training`)

/** Trains in another process and kills it in the middle of an epoch, at or after the given one; the id, and the epochs it told of. */
async function killed(epoch: number, delay: number): Promise<{ id: string, told: number }> {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  // A busy machine also shows a progress bar.
  const lastEpoch = () => Number([...output.matchAll(/^epoch (\d+)\n/gm)].at(-1)?.[1] ?? 0)
  const ended = once(child, 'exit')
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', chunk => {
      output += chunk
      if (lastEpoch() >= epoch) resolve()
    })
    child.on('exit', code => reject(new Error(`it ended by itself with ${code}`)))
  })
  await wait(delay)
  child.kill('SIGKILL')
  const [, signal] = await ended
  assert.equal(signal, 'SIGKILL')
  return { id: /^run (\w+)$/m.exec(output)![1], told: lastEpoch() }
}

test(`after kill -9 in mid-epoch at most that epoch is lost, and the resumed run has the losses of one that was not killed (${kills} kills)`, async () => {
  const data = await images(photos.folder, { size: 12, range: [0, 1], validation: 0.2, batch: 4 })
  const made = () => extract(trunk(), { classes: data.classes, dropout: 0.2, show: false })
  const whole = await train(made(), data, { epochs: 60, learningRate: 0.01, show: false })
  for (let i = 0; i < kills; i++) {
    const { id, told } = await killed(2 + (i * 7) % 20, (i * 13) % 40)
    const { standing, run } = readRecord(id)
    assert.ok(standing!.last >= told, `${told} epochs were finished, ${standing!.last} are kept`)
    assert.ok(readCheckpoint(id, standing!.last).length && readCheckpoint(id, standing!.best).length)
    assert.deepEqual((run as unknown as { history: { loss: number[] } }).history.loss, whole.history.loss.slice(0, standing!.last))
    assert.equal(runs.get(id).stopped, 'lost')
    if (i) continue
    const resumed = await train.resume(id, { show: false })
    assert.deepEqual(resumed.history, whole.history)
  }
})
