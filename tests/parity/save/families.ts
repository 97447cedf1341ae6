import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs'
import { load, save } from '../../../lib/save/index.ts'
import { tf } from '../../../lib/tf.ts'
import { relativeError } from '../../fixtures/models/models.ts'
import { runPython } from './python.ts'

const script = new URL('./families.py', import.meta.url).pathname

/** Who read which file of a network, and how far its logits were from those of Keras; a text where it could not. */
export interface Finding {
  /** `Graft ← .h5 of tf_keras`, `Keras 3 ← .keras`. */
  way: string
  error: number | string
}

const libraries = { keras3: 'Keras 3', tf_keras: 'tf_keras' } as const
const floats = async (path: string) => new Float32Array(new Uint8Array(await readFile(path)).buffer)

/** The networks of `keras.applications`, by name. */
export const networks = async (): Promise<string[]> => JSON.parse(await runPython(script, ['names']))

/**
 * Has both libraries save a network of theirs in `folder`, where it is not there yet, loads each file, saves the model again and
 * has the libraries open that.
 */
export async function roundTrip(name: string, folder: string): Promise<{ parameters: number, found: Finding[] }> {
  await runPython(script, ['write', folder, name])
  const scratch = await mkdtemp(join(tmpdir(), 'graft-families-')), found: Finding[] = []
  const cases: { library: string, file: string, x: string, y: string }[] = []
  let parameters = 0
  try {
    for (const library of ['keras3', 'tf_keras'] as const) {
      const at = join(folder, `${name}_${library}`), told = JSON.parse(await readFile(`${at}.json`, 'utf8'))
      parameters = told.parameters
      const images = tf.tensor(await floats(`${at}.x`), [2, told.size, told.size, 3]), wanted = await floats(`${at}.y`)
      for (const extension of ['.keras', '.h5']) {
        const model = await load(at + extension), logits = model.predict(images) as Tensor
        const counted = model.countParams(), wrong = `${counted} parameters instead of ${parameters}`
        found.push({ way: `Graft ← ${extension} of ${libraries[library]}`,
          error: counted === parameters ? relativeError(logits.dataSync(), wanted) : wrong })
        // Both files hold one model. Keras 2 lacks an activation of Keras 3's MobileNetV3: what Keras 3 wrote stays its own.
        const theirs = { keras3: ['keras3.keras', 'keras3.h5'], tf_keras: ['keras3.keras', 'tf_keras.h5'] }[library]
        const files = extension === '.keras' ? theirs : []
        for (const each of files) {
          const reader = each.replace(/\..*/, '') as keyof typeof libraries, file = `of_${library}_for_${each}`
          await save(model, join(scratch, file), { readers: reader })
          cases.push({ library: reader, file, x: `${at}.x`, y: `${at}.y` })
        }
        tf.dispose(logits)
        model.dispose()
      }
      images.dispose()
    }
    await writeFile(join(scratch, 'cases.json'), JSON.stringify(cases))
    const errors: (number | string)[] = JSON.parse((await runPython(script, ['read', scratch])).trim().split('\n').at(-1)!)
    for (const [i, { library, file }] of cases.entries()) {
      const reader = libraries[library as keyof typeof libraries], from = file.startsWith('of_keras3') ? '' : ', once of tf_keras'
      found.push({ way: `${reader} ← ${extname(file)}${from}`, error: errors[i] })
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return { parameters, found }
}
