/**
 * The other process of tests/faults/save.test.ts.
 *   child.ts overwrite FILE          saves two models in turn over FILE, for ever; each is of one number throughout
 *   child.ts once FILE [as-nobody]   saves once and prints what became of it as JSON
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { save } from '../../../lib/save/index.ts'
import { tf } from '../../../lib/tf.ts'

const [mode, path, user] = process.argv.slice(2)

const model = (value: number) => {
  const made = tf.sequential({ layers: [tf.layers.dense({ inputShape: [1000], units: 600, useBias: false })] })
  made.setWeights([tf.fill([1000, 600], value)])
  return made
}

if (mode === 'overwrite') {
  const models = [model(1), model(2)]
  await save(models[0], path)
  console.log('ready')
  for (let i = 1; ; i++) await save(models[i % 2], path)
} else {
  if (user === 'as-nobody') {
    // The first save loads all code while it may still be read.
    const folder = mkdtempSync(join(tmpdir(), 'graft-fault-'))
    await save(model(1), join(folder, 'first.h5'))
    rmSync(folder, { recursive: true })
    process.setegid!(65534)
    process.seteuid!(65534)
  }
  const result = await save(model(3), path).then(
    ({ bytes }) => ({ bytes }),
    ({ name, message }) => ({ name, message }),
  )
  console.log(JSON.stringify(result))
}
