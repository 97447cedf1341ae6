import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as customize from '../../lib/customize/index.ts'
import { lift } from '../../lib/lift/index.ts'
import { save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { thin } from '../fixtures/models/models.ts'
import { runPython, skip } from './save/python.ts'
import { outputsOf } from './save/zoo.ts'

const script = new URL('./save/with_keras.py', import.meta.url).pathname
const layouts = ['thin_tf_keras', 'thin_keras3', 'thin_slim', 'penalized_tf_keras']

describe('a head on a model from a SavedModel opens in Keras with no custom objects', { skip }, () => {
  let folder: string
  let results: { name: string; library: string; failure?: string; error: number }[]
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'graft-lifted-'))
    const cases = []
    for (const name of layouts) {
      const { folder: saved, x, inputShape } = await thin(name)
      const model = customize.extract((await lift(saved)).model, { classes: ['a', 'b', 'c'] })
      const input = tf.tensor(x, inputShape),
        [y] = await outputsOf(model, [input])
      await save(model, join(folder, `${name}.h5`))
      await writeFile(join(folder, `${name}.x`), Uint8Array.from(new Uint8Array(x.buffer, x.byteOffset, x.byteLength)))
      await writeFile(join(folder, `${name}.y`), new Uint8Array(y.buffer))
      cases.push({
        name,
        files: { keras3: `${name}.h5`, tf_keras: `${name}.h5` },
        inputs: [`${name}.x`],
        inputShapes: [inputShape],
        outputs: [`${name}.y`],
      })
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(cases))
    await runPython(script, ['read', folder])
    results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const name of layouts) {
    for (const library of ['keras3', 'tf_keras']) {
      test(`${name} in ${library}: probabilities equal to 1e-6`, () => {
        const result = results.find(each => each.name === name && each.library === library)!
        assert.equal(result.failure, undefined)
        assert.ok(result.error <= 1e-6, `they differ by ${result.error}`)
      })
    }
  }
})
