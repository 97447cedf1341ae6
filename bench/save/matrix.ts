/**
 * Which library opens which file, and with how much difference: models of all kinds, in every format, written and read by Graft,
 * Keras 3, tf_keras, TensorFlow.js and ONNX Runtime. Writes the table of docs/files.md.
 *
 *     node bench/save/matrix.ts            (GRAFT_PYTHON names the Python with Keras and tf_keras; a few minutes)
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import * as customize from '../../lib/customize/index.ts'
import { onnxRuntime, openSession } from '../../lib/engine/onnx/runtime.ts'
import { lift } from '../../lib/lift/index.ts'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'
import { GroupedOptimizer } from '../../lib/train/optimizers.ts'
import { thin } from '../../tests/fixtures/models/models.ts'
import { custom, inputsFor, outputsOf, zoo } from '../../tests/parity/save/zoo.ts'

const python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-matrix-'))
const classes = ['a', 'b', 'c'], L = tf.layers

/** Models by what they show. */
const models: Record<string, () => Promise<LayersModel> | LayersModel> = {
  'feature extraction (tf_keras layout)': async () => customize.extract(await base('thin_tf_keras'), { classes }),
  'fine-tuning (TF-Slim layout)': async () => customize.fineTune(await base('thin_slim'), { classes, unfreeze: 5 }),
  'architectural modification (Keras 3 layout)': async () =>
    customize.modify(await base('thin_keras3'), { add: [L.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' })], classes }),
  'blocks of other families (Keras 3 layout)': () => base('blocks_keras3'),
  'blocks of other families (tf_keras layout)': () => base('blocks_tf_keras'),
  'TF1 layout': () => base('thin_tf1'),
  'a model within a model': () => zoo.nested(),
  'several inputs and outputs, a shared layer': () => zoo.branches(),
  'recurrent': () => zoo.bidirectional(),
  'recurrent cells under a mask': () => zoo.cells(),
  'attention and EinsumDense': () => zoo.attention(),
  'preprocessing layers': () => zoo.preprocessing(),
  'layers that Keras lacks': () => custom.standardized(),
  'half-way through training (Adam)': async () => {
    const model = zoo.sequential(), optimizer = new GroupedOptimizer('adam', () => 0.003)
    optimizer.learningRate = 0.003
    model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
    await steps(model)
    return model
  },
}
const base = async (name: string) => (await lift((await thin(name)).folder)).model

async function steps(model: LayersModel): Promise<number[]> {
  const [x] = inputsFor(model), units = model.outputs[0].shape.at(-1)!
  const y = tf.oneHot(tf.tensor1d(Array.from({ length: x.shape[0] }, (_, i) => i % units), 'int32'), units)
  return (await model.fit(x, y, { batchSize: x.shape[0], epochs: 5, shuffle: false, verbose: 0 })).history.loss as number[]
}

/** The largest difference, as a part of the largest number where that is above 1. */
function furthest(got: ArrayLike<number>[], wanted: Float32Array[]): number {
  return Math.max(...wanted.map((want, i) => {
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    return want.reduce((most, value, j) => Math.max(most, Math.abs(value - got[i][j])), 0) / largest
  }))
}

/** How far ONNX Runtime's outputs are. */
async function inOnnx(path: string, inputs: Tensor[], outputs: Float32Array[]): Promise<number | undefined> {
  const { ort } = onnxRuntime()
  if (!ort) return undefined
  const session = await openSession(ort, readFileSync(path))
  const feeds = inputs.map((input, i) => [i ? `input_${i}` : 'input',
    new ort.Tensor('float32', Float32Array.from(input.dataSync()), input.shape)])
  const results = await session.run(Object.fromEntries(feeds))
  await session.release()
  return furthest(outputs.map((_, i) => results[i ? `output_${i}` : 'output'].data as Float32Array), outputs)
}

/** What one library found in one file. */
interface Finding { name: string; library: string; format: string; error?: number; losses?: number[]; failure?: string }
interface Cell { error?: number; losses?: number; refused?: string }
const table = new Map<string, Record<string, Cell>>()
const put = (name: string, column: string, cell: Cell) => table.set(name, { ...table.get(name), [column]: cell })
const short = (error: unknown) => (error as Error).message.replace(/^cannot (save to|load) \S+: /, '').replaceAll(folder,
  '').split('\n')[0]

interface Kept { outputs: Float32Array[]; losses?: number[]; inputs: Tensor[] }
const kept = new Map<string, Kept>()

/** Loads a file here and notes how its model computes, and learns on. */
async function readHere(name: string, column: string, path: string, into?: LayersModel): Promise<void> {
  const { outputs, losses, inputs } = kept.get(name)!
  try {
    const model = await load(path, into && { into })
    const error = furthest(await outputsOf(model, inputs), outputs)
    put(name, column, {
      error,
      // tf_keras writes a model that it loaded from an .h5 without what it was compiled with.
      ...losses && !into && model.optimizer && { losses: furthest([await steps(model)], [Float32Array.from(losses)]) },
    })
    if (!into) model.dispose()
  } catch (error) {
    put(name, column, { refused: short(error) })
  }
}

const ours = ['.h5', '.tf_keras.h5', '.keras', '.weights.h5', '/model.json', '.onnx'], cases = []
try {
  for (const [i, [name, make]] of Object.entries(models).entries()) {
    const model = await make(), inputs = inputsFor(model), trains = name.startsWith('half-way'), file = `m${i}`
    const write = (what: string, values: ArrayLike<number>) => {
      writeFileSync(join(folder, what), new Uint8Array(Float32Array.from(values).buffer))
      return what
    }
    const outputs = await outputsOf(model, inputs)
    for (const extension of ours) {
      const readers = extension === '.tf_keras.h5' ? 'tf_keras' : 'keras3'
      await save(model, join(folder, file + extension), { readers }).then(
          async () => { if (extension === '.onnx') put(name, 'ONNX Runtime ← .onnx',
            { error: await inOnnx(join(folder, file + extension), inputs, outputs) }) },
        error => put(name, extension === '.onnx' ? 'ONNX Runtime ← .onnx' : `Graft ← ${extension}`, { refused: short(error) }))
    }
    cases.push({
      name, file, trains, inputs: inputs.map((input, j) => [write(`${file}.x${j}`, input.dataSync()), input.shape]),
      outputs: outputs.map((output, j) => write(`${file}.y${j}`, output)),
    })
    kept.set(name, { outputs, inputs, ...trains && { losses: await steps(model) } })
    for (const extension of ['.h5', '.keras', '/model.json']) await readHere(name, `Graft ← ${extension}`,
      join(folder, file + extension))
    const again = await load(join(folder, `${file}.keras`)).catch(() => undefined)
    if (again) await readHere(name, 'Graft ← .weights.h5', join(folder, `${file}.weights.h5`), again)
    console.log(`${name}: ${JSON.stringify(table.get(name))}`)
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases))
  execFileSync(python, [new URL('./matrix.py', import.meta.url).pathname, folder], { stdio: ['ignore', 'ignore', 'ignore'] })
  const { versions, results } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as {
    versions: Record<string, string>
    results: (Finding & { [unsaved: `unsaved ${string}`]: string })[]
  }
  for (const { name, library, format, error, losses, failure, ...rest } of results) {
    const { losses: wanted } = kept.get(name)!
    put(name, `${library} ← ${format}`, failure ? { refused: failure }
      : { error, ...losses && wanted && format !== '.h5' || losses && library === 'tf_keras'
        ? { losses: furthest([losses!], [Float32Array.from(wanted!)]) } : {} })
    if (failure || (format !== '.keras' && library !== 'tf_keras')) continue
    for (const extension of ['.keras', '.h5']) {
      const column = `Graft ← ${extension} of ${library}`, unsaved = rest[`unsaved ${extension}`]
      if (unsaved) put(name, column, { refused: `${library} does not write it: ${unsaved}` })
      else await readHere(name, column,
        join(folder, `${library.replace(' ', '')}_${cases.find(each => each.name === name)!.file}${extension}`))
    }
  }
  writeFileSync(new URL('../../docs/files.md', import.meta.url), page(versions))
} finally {
  rmSync(folder, { recursive: true })
}

function page(versions: Record<string, string>): string {
  const columns = ['Graft ← .h5', 'Graft ← .keras', 'Graft ← .weights.h5', 'Graft ← /model.json', 'ONNX Runtime ← .onnx',
    'Keras 3 ← .keras', 'Keras 3 ← .h5',
    'Keras 3 ← .weights.h5', 'tf_keras ← .h5', ...['Keras 3', 'tf_keras'].flatMap(library =>
      ['.keras', '.h5'].map(extension => `Graft ← ${extension} of ${library}`))]
  const notes: string[] = []
  const number = (value: number) => value === 0 ? '0' : value.toExponential(0)
  const cell = ({ error, losses, refused }: Cell = {}) => {
    if (refused) {
      if (!notes.includes(refused)) notes.push(refused)
      return `refused [${notes.indexOf(refused) + 1}]`
    }
    return error === undefined ? '' : number(error) + (losses === undefined ? '' : `; losses ${number(losses)}`)
  }
  const rows = [...table].map(([name, cells]) => `| ${name} | ${columns.map(column => cell(cells[column])).join(' | ')} |`)
  const count = [...table.values()].flatMap(cells => Object.values(cells)).filter(({ refused }) => refused).length
  return readFileSync(new URL('./files.md', import.meta.url), 'utf8')
    .replace('{versions}', `Keras ${versions['Keras 3']}, tf_keras ${versions.tf_keras}, TensorFlow.js ${tf.version.tfjs}`)
    .replace('{table}', [`| model | ${columns.map(column => column.replace('/model.json', 'model.json')).join(' | ')} |`,
      `|---|${columns.map(() => '---|').join('')}`, ...rows].join('\n'))
    .replace('{refusals}', count === 0 ? 'Nothing is refused.'
      : [`Refusals: ${count}.`, '', ...notes.map((note, i) => `${i + 1}. ${note}`)].join('\n'))
}
