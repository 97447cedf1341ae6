import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { extract } from '../../lib/customize/extract.ts'
import { images } from '../../lib/data/images.ts'
import { load } from '../../lib/hub/load.ts'
import { save } from '../../lib/save/index.ts'
import { calibration } from '../../lib/show/calibration.ts'
import { confusion } from '../../lib/show/confusion.ts'
import { camMaps } from '../../lib/show/why/grad-cam.ts'
import { splitAt } from '../../lib/show/why/split.ts'
import { predict } from '../../lib/train/predict.ts'
import { train } from '../../lib/train/train.ts'

const notebooks = join(import.meta.dirname, '..', '..', 'notebooks'),
  python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-show-'))

test(
  "Grad-CAM is Keras's gradient tape's, and confusion and calibration are what NumPy counts",
  { timeout: 300_000 },
  async t => {
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const base = await load(join(notebooks, 'models', 'mobilenet_v2_letters_feature_vector'))
    const digits = await images(join(notebooks, 'images', 'digits'), { size: base })
    const model = extract(base, { classes: digits.classes })
    await train(model, digits, { epochs: 4, seed: 1 })
    await save(model, join(folder, 'model.h5'))
    const set = digits.test!,
      predictions = await predict(model, set),
      classes = set.classes
    const some = [3, 50, 111, 190],
      wanted = [0, 2, 5, 9],
      pixels = await set.pixels(some)
    writeFileSync(join(folder, 'pixels.bin'), pixels)
    // The middle of the network: a map of 6 × 6, behind which batch normalizations and a residual path follow.
    const split = splitAt(model, 'block_12_add')
    writeFileSync(
      join(folder, 'given.json'),
      JSON.stringify({
        layer: 'block_12_add',
        classes: wanted,
        truth: Array.from(set.labels),
        probabilities: predictions.map(({ scores }) =>
          classes.map(name => scores.find(score => score.label === name)!.probability),
        ),
      }),
    )
    execFileSync(python, [join(import.meta.dirname, 'show', 'reference.py'), folder], { stdio: 'pipe' })
    const reference = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8').replaceAll('NaN', 'null'))
    const ours = camMaps(split, pixels, [...set.size, 3], wanted).flatMap(({ values }) => [...values])
    assert.equal(ours.length, reference.cam.length)
    const worst = Math.max(...ours.map((value, i) => Math.abs(value - reference.cam[i])))
    assert.ok(worst < 1e-3, `Grad-CAM differs by ${worst}`)
    assert.ok(
      ours.some(value => value > 0.2 && value < 0.8),
      'the maps say something',
    )

    const found = confusion(predictions)
    assert.deepEqual(found.counts, reference.matrix)
    for (const name of ['recall', 'precision', 'f1'] as const) {
      found[name].forEach((value, i) =>
        assert.ok(Number.isNaN(value) ? reference[name][i] === null : Math.abs(value - reference[name][i]) < 1e-12),
      )
    }
    assert.ok(Math.abs(calibration(predictions).error - reference.error) < 1e-9)
  },
)
