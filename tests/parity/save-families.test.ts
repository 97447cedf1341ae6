import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Tensor } from '@tensorflow/tfjs'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { cache, relativeError } from '../fixtures/models/models.ts'
import { runPython, skip } from './save/python.ts'

/** Keras's own image networks, of which each library writes its own form. */
const small = ['MobileNetV3Small']
const large = ['MobileNetV3Large', 'ConvNeXtTiny', 'EfficientNetB0', 'EfficientNetV2B0', 'InceptionResNetV2']
const tooLong = process.env.GRAFT_TEST_FAMILIES
  ? false
  : 'having Keras write this network takes long: set GRAFT_TEST_FAMILIES=1; MobileNetV3Small is always read'
const script = new URL('./save/families.py', import.meta.url).pathname, folder = join(cache, 'families')
const floats = async (path: string) => new Float32Array(new Uint8Array(await readFile(path)).buffer)

describe('networks that Keras 3 and tf_keras save, Graft loads, and saves for them', { skip }, () => {
  let scratch: string
  const cases: { library: string, file: string, x: string, y: string }[] = []

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'graft-families-'))
    await runPython(script, ['write', folder, ...small, ...tooLong ? [] : large])
  })
  after(() => rm(scratch, { recursive: true, force: true }))

  for (const name of [...small, ...large]) {
    for (const library of ['keras3', 'tf_keras']) {
      for (const extension of ['.keras', '.h5']) {
        test(`${name}: ${extension} of ${library}`, { skip: large.includes(name) && tooLong }, async () => {
          const at = join(folder, `${name}_${library}`), { size, parameters } = JSON.parse(await readFile(`${at}.json`, 'utf8'))
          const model = await load(at + extension), images = tf.tensor(await floats(`${at}.x`), [2, size, size, 3])
          const features = model.predict(images) as Tensor, error = relativeError(features.dataSync(), await floats(`${at}.y`))
          assert.ok(error <= 1e-5, `features differ by ${error}`)
          assert.equal(model.countParams(), parameters)
          // Both files hold one model. Keras 2 lacks an activation of Keras 3's MobileNetV3: what Keras 3 wrote stays its own.
          const readers = library === 'keras3' ? ['keras3'] as const : ['keras3', 'tf_keras'] as const
          for (const reader of extension === '.keras' ? readers : []) {
            const file = `${name}_${library}_for_${reader}${reader === 'keras3' ? '.keras' : '.h5'}`
            await save(model, join(scratch, file), { readers: reader })
            cases.push({ library: reader, file, x: `${at}.x`, y: `${at}.y` })
          }
          tf.dispose([images, features])
          model.dispose()
        })
      }
    }
  }

  test('Keras 3 and tf_keras open what Graft saved again', async () => {
    await writeFile(join(scratch, 'cases.json'), JSON.stringify(cases))
    const found: (number | string)[] = JSON.parse((await runPython(script, ['read', scratch])).trim().split('\n').at(-1)!)
    const wrong = cases.flatMap(({ file }, i) => typeof found[i] === 'number' && found[i] <= 1e-5 ? [] : `${file}: ${found[i]}`)
    assert.deepEqual(wrong, [])
  })
})
