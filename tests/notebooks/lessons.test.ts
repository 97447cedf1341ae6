import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readNotebook } from '../../cli/notebook.ts'
import { pythonOf, root, venv } from '../../install/place.js'
import { made, noTensorFlow } from '../fixtures/models/models.ts'
import { startMirror } from '../mirror/server.ts'
import { execute, fewImages, joined, notebookFolder, textOf, type Executed, type Output } from './notebook.ts'

/** The lessons: what each writes, TF Hub's handle, the full-size models that stand for it, and the parameters that leave out what would take long there. */
const lessons = [
  {
    notebook: '1-feature-extraction.ipynb', file: 'custom_mobilenet_feature_extraction.h5', size: 224, least: 85, photo: /photo-of-a-seven\.png: 7 /,
    handle: 'https://tfhub.dev/google/tf2-preview/mobilenet_v2/feature_vector/4', models: ['mobilenet_v2_slim', 'mobilenet_v2_tf_keras'], short: ['fromScratch=false'],
  },
  {
    notebook: '2-fine-tuning.ipynb', file: 'custom_inception_finetuned.h5', size: 299, least: 75, photo: /photo-of-a-four\.png: 4 /,
    handle: 'https://tfhub.dev/google/tf2-preview/inception_v3/feature_vector/4', models: ['inception_v3_slim'], short: ['forgetting=false'],
  },
  {
    notebook: '3-architectural-modification.ipynb', file: 'custom_resnet_modified.h5', size: 224, least: 85, photo: /photo-of-a-seven\.png: 7 /,
    handle: 'https://tfhub.dev/google/imagenet/resnet_v2_50/feature_vector/4', models: ['resnet_v2_50_slim'], short: [],
    within: Infinity, // Layers made by hand begin at random: it shows as many measures, whatever they are.
  },
]

/**
 * The measures that a cell shows (`90.0 %`, `loss 0.69`), in order. Times, sizes and ids differ from one machine to the next, and what
 * `advise` tries depends on how long things take.
 */
function measuresOf(outputs: Output[]): number[] {
  return [...textOf(outputs).matchAll(/(?<![\d.,])(\d+(?:\.\d+)?) %|\bloss (\d+\.\d+)/g)].map(([, percent, loss]) => loss === undefined ? Number(percent) : 100 * Number(loss))
}

/** Compares what a notebook shows with what is kept in it, rounded: measures may be so many points away. */
function assertAsKept(name: string, done: Executed, within = 5): void {
  const kept = readNotebook(join(root, 'notebooks', name)).cells.filter(cell => cell.cell_type === 'code')
  for (const [i, { source, outputs }] of done.cells.entries()) {
    if (/\badvise\(|\blive\b/.test(source)) continue
    const now = measuresOf(outputs), then = measuresOf(kept[i].outputs as Output[])
    assert.equal(now.length, then.length, `${name}, ${source}: other outputs than the kept ones. node docs/outputs.ts makes them anew.\n${textOf(outputs)}`)
    for (const [j, value] of now.entries()) assert.ok(Math.abs(value - then[j]) <= within, `${name}, ${source}: ${value}, kept is ${then[j]}`)
  }
}

const python = process.env.GRAFT_PYTHON ?? join(root, '.graft', 'python-tests', 'bin', 'python')
const shownBy = ({ cells }: Executed, source: string) => textOf(cells.find(cell => cell.source.includes(source))!.outputs)

/** Opens the file in real Keras, without custom objects, and gives its input and output shapes. */
function inKeras(path: string): { input: (number | null)[], output: (number | null)[] } {
  const script = 'import json, sys, keras; m = keras.models.load_model(sys.argv[1]); print(json.dumps({"input": m.input_shape, "output": m.output_shape}))'
  return JSON.parse(execFileSync(python, ['-c', script, path], { encoding: 'utf8', env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' } }).trim().split('\n').pop()!)
}

for (const { notebook, file, size, least, photo, handle, models, short, within } of lessons) {
  test(`${notebook} runs as it stands, learns, and leaves a file that Keras opens`, { skip: noTensorFlow, timeout: 600_000 }, async () => {
    const done = await execute(notebook)
    assert.equal(done.status, 0, done.stderr)
    const right = Number(/^([\d.]+) % right/m.exec(shownBy(done, 'show.predictions'))?.[1])
    assert.ok(right >= least, `${right} % of the test images are right`)
    const run = shownBy(done, 'await train(model')
    assert.match(run, /200 images through the frozen part/, 'each of 160 + 40 images once, not once an epoch')
    assert.match(run, /unchanged, bit for bit/)
    assert.match(shownBy(done, 'predict(model, photo)'), photo)
    assert.match(shownBy(done, 'save(model'), /keras\.models\.load_model/)
    for (const { source, outputs } of done.cells) {
      for (const { data } of outputs) {
        if (!data) continue
        assert.ok(joined(data['text/plain']).trim(), `${source}: a text form`)
        if (data['image/svg+xml']) assert.ok(data['image/png'] ?? data['image/jpeg'], `${source}: a picture beside the SVG, for untrusted notebooks`)
      }
    }
    assertAsKept(notebook, done, within)
    assert.deepEqual(inKeras(join(done.folder, file)).output, [null, 10])
    assert.deepEqual(readdirSync(done.folder).filter(name => name.includes('.tmp')), [])
    rmSync(done.folder, { recursive: true })
  })

  for (const model of models) {
    test(`${notebook} runs unchanged with TensorFlow Hub's handle and a full-size ${model} from a mirror`, { skip: noTensorFlow, timeout: 600_000 }, async () => {
      const mirror = await startMirror({ [new URL(handle).pathname]: (await made(model)).folder })
      const cache = mkdtempSync(join(tmpdir(), 'graft-cache-')), place = notebookFolder()
      try {
        fewImages(join(place, 'few'), 2)
        const done = await execute(notebook, [`handle=${handle}`, 'images=few', 'epochs=1', ...short],
          { GRAFT_HUB_MIRROR: mirror.url, GRAFT_CACHE_DIR: cache, TFHUB_CACHE_DIR: '' }, place)
        assert.equal(done.status, 0, done.stderr)
        assert.equal(mirror.requests.length, 1, 'downloaded once')
        assert.match(shownBy(done, 'hub.load(handle)'), new RegExp(`images of ${size} × ${size} pixels`))
        assert.deepEqual(inKeras(join(place, file)), { input: [null, size, size, 3], output: [null, 10] })
      } finally {
        await mirror.close()
        for (const path of [cache, place]) rmSync(path, { recursive: true, force: true })
      }
    })
  }
}

test('0-start-here.ipynb measures which method suits which pictures, and ends with a model', { timeout: 600_000 }, async () => {
  const done = await execute('0-start-here.ipynb')
  assert.equal(done.status, 0, done.stderr)
  assert.match(shownBy(done, 'await advise(base, digits)'), /^customize\.(extract|fineTune|modify)\(/m)
  assert.match(shownBy(done, 'await advise(base, textures)'), /^customize\./m)
  assert.notEqual(shownBy(done, 'await advise(base, digits)'), shownBy(done, 'await advise(base, textures)'))
  assertAsKept('0-start-here.ipynb', done)
  assert.ok(existsSync(join(done.folder, 'my_first_model.keras')))
  rmSync(done.folder, { recursive: true })
})

test('graft script makes a program of each notebook; the first lesson\'s runs, on few images', { timeout: 300_000 }, () => {
  const folder = notebookFolder()
  rmSync(join(folder, 'images'))
  fewImages(join(folder, 'images', 'digits'), 4)
  for (const name of readdirSync(join(root, 'notebooks', 'images')).filter(name => name.endsWith('.png'))) cpSync(join(root, 'notebooks', 'images', name), join(folder, 'images', name))
  for (const name of readdirSync(join(root, 'notebooks')).filter(name => /^\d-[\w-]+\.ipynb$/.test(name))) {
    const out = join(folder, name.replace('.ipynb', '.ts'))
    execFileSync(process.execPath, [join(root, 'cli', 'graft.js'), 'script', join(root, 'notebooks', name), '-o', out])
    stripTypeScriptTypes(readFileSync(out, 'utf8'))
  }
  const shown = execFileSync(process.execPath, ['1-feature-extraction.ts'], { cwd: folder, encoding: 'utf8', env: { ...process.env, GRAFT_RUNS: 'off' } })
  assert.match(shown, /1 of 105 train/)
  assert.match(shown, /keras\.models\.load_model/)
  assert.ok(existsSync(join(folder, 'custom_mobilenet_feature_extraction.h5')))
  rmSync(folder, { recursive: true })
})

const noJupyter = !existsSync(pythonOf(venv)) && 'needs the .venv of node install.js'
test('the notebooks become HTML pages with their pictures', { skip: noJupyter, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'graft-html-')), names = readdirSync(join(root, 'notebooks')).filter(name => /^\d-[\w-]+\.ipynb$/.test(name))
  execFileSync(pythonOf(venv), ['-m', 'nbconvert', '--to', 'html', '--output-dir', folder, ...names.map(name => join(root, 'notebooks', name))], { stdio: 'pipe' })
  for (const name of names) {
    const page = readFileSync(join(folder, name.replace('.ipynb', '.html')), 'utf8')
    assert.match(page, /<table/)
    assert.match(page, /<img[^>]*src="data:image\/(png|jpeg);base64,/)
  }
  rmSync(folder, { recursive: true })
})

test('the second lesson shows what forgetting is: careful steps keep the letters, reckless ones lose them', { timeout: 600_000 }, async () => {
  const done = await execute('2-fine-tuning.ipynb'), shown = shownBy(done, 'const reckless')
  const [before, careful, reckless] = ['before', 'after careful fine-tuning', 'after reckless fine-tuning'].map(when => Number(new RegExp(`letters ${when}': '([\\d.]+) %`).exec(shown)?.[1]))
  assert.ok(before > 80 && careful > before - 5 && reckless < 40, shown)
  assert.match(shown, /catastrophic forgetting/)
  rmSync(done.folder, { recursive: true })
})

for (const [title, parameters, expected] of [
  ['a handle that is no folder and no address', ['handle=models/mobilenet'], /models\/mobilenet/],
  ['a folder without images', ['images=models'], /no images|models/],
  ['a host that does not answer', ['handle=http://127.0.0.1:9/google/mobilenet/4'], /127\.0\.0\.1:9/],
] as const) {
  test(`${title} stops the notebook with one clear error and leaves nothing`, { timeout: 120_000 }, async () => {
    const cache = mkdtempSync(join(tmpdir(), 'graft-cache-')), { notebook, file } = lessons[0]
    const done = await execute(notebook, [...parameters], { GRAFT_CACHE_DIR: cache, TFHUB_CACHE_DIR: '' })
    assert.equal(done.status, 1)
    const errors = done.cells.flatMap(cell => cell.outputs).filter(output => output.output_type === 'error')
    assert.equal(errors.length, 1)
    assert.equal(errors[0].ename, 'GraftError')
    assert.match(errors[0].evalue!, expected)
    const shown = errors[0].traceback!.join('\n')
    assert.doesNotMatch(shown, /node:internal|\/lib\/|\/kernel\//, 'no inner stack')
    assert.equal(existsSync(join(done.folder, file)), false)
    for (const path of [cache, done.folder]) rmSync(path, { recursive: true, force: true })
  })
}
