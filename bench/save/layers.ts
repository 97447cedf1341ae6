/**
 * Which layers of Keras 3 `load` computes alike, and which it refuses: one model for each, saved by Keras. Each is computed,
 * differentiated, trained for a step, saved again and opened by Keras. Writes docs/keras-layers.md; fails where a layer is loaded
 * and something of that is otherwise.
 *
 *     node bench/save/layers.ts            (GRAFT_PYTHON names the Python with Keras; a minute)
 *     node bench/save/layers.ts 'Conv|ops' only the cases whose title this finds; writes nothing
 *     SEED=1000 node bench/save/layers.ts . with other numbers; writes nothing
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LayersModel, Scalar, Tensor, Variable } from '@tensorflow/tfjs'
import { KerasAugmentation } from '../../lib/layers/augmentation.ts'
import { load, save } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'

interface Packed { shape: number[]; values: number[] }
interface Case {
  title: string
  inputs: Packed[]
  output: number[]
  /** Of the sum of the output times `weigh`. `null` where there is none. */
  gradients: { weigh: number[]; byInput: (number[] | null)[]; byWeight: { shape: number[]; values: number[] | null }[] }
  /** What it computes in training, and leaves in its weights; `null` where that is random or apart. */
  step: { output: number[]; weights: number[][] } | null
}

const [only = ''] = process.argv.slice(2)
const python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-layers-'))
const alike: string[] = [], refused: [title: string, why: string][] = []
const unsaved: string[] = [], idle: string[] = [], wrong: string[] = []
let furthest = 0, steepest = 0, farthest = 0

/** The largest difference, as a part of the largest number where that is above 1. */
function difference(got: ArrayLike<number>, wanted: number[]): number {
  if (got.length !== wanted.length) return Infinity
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i])), 0) / largest
}

const firstOf = (output: Tensor | Tensor[]): Tensor => Array.isArray(output) ? output[0] : output

/** The largest difference of a gradient, for the inputs and the weights. */
function slopes(model: LayersModel, given: Tensor[], { weigh, byInput, byWeight }: Case['gradients']): number {
  return Math.max(0, ...tf.tidy(() => {
    const loss = (...inputs: Tensor[]) => {
      const output = firstOf(model.apply(inputs.length > 1 ? inputs : inputs[0]) as Tensor)
      return tf.sum(tf.mul(output, tf.tensor(weigh, output.shape))) as Scalar
    }
    const known = byInput.every(each => each !== null), errors: number[] = []
    if (known) tf.grads(loss)(given).forEach((slope, i) => errors.push(difference(slope.dataSync(), byInput[i]!)))
    const weights = model.trainableWeights.map(weight => (weight as unknown as { val: Variable }).val)
    if (weights.length) {
      const { grads } = tf.variableGrads(() => loss(...given), weights)
      byWeight.forEach(({ shape, values }, i) => {
        const same = weights[i]?.shape.join() === shape.join()
        if (values) errors.push(same ? difference(grads[weights[i].name].dataSync(), values) : Infinity)
      })
    }
    return errors
  }))
}

/** The largest difference of what it computes in training, and of what that leaves in the weights. */
function stepped(model: LayersModel, given: Tensor[], { output, weights }: NonNullable<Case['step']>): number {
  return tf.tidy(() => {
    const y = firstOf(model.apply(given.length > 1 ? given : given[0], { training: true }) as Tensor)
    const left = [...model.trainableWeights, ...model.nonTrainableWeights]
    const moved = left.map((weight, i) => difference(weight.read().dataSync(), weights[i]))
    return Math.max(difference(y.dataSync(), output), ...moved)
  })
}

/** Trains the model under a head for one step, with the engine that is on. */
async function trains(model: LayersModel, given: Tensor[]): Promise<void> {
  const [output] = model.outputs, flat = output.rank > 2 ? tf.layers.flatten().apply(output) : output
  const head = tf.layers.dense({ units: 1 }).apply(flat as Tensor)
  const whole = tf.model({ inputs: model.inputs, outputs: head as never })
  whole.compile({ optimizer: tf.train.sgd(0.001), loss: 'meanSquaredError' })
  const y = tf.ones([given[0].shape[0], 1])
  const { loss } = (await whole.fit(given.length > 1 ? given : given[0], y, { epochs: 1, verbose: 0 })).history
  if (!Number.isFinite(loss[0])) throw new Error(`its loss is ${loss[0]}`)
}

try {
  const script = new URL('./layers.py', import.meta.url).pathname
  execFileSync(python, [script, folder, only], { stdio: 'ignore' })
  const { version, cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { version: string, cases: Case[] }
  for (const [number, { title, inputs, output, gradients, step }] of cases.entries()) {
    const path = join(folder, `${number}.keras`)
    const model = await load(path).catch((error: Error) => {
      const why = error.message.replace(`cannot load ${path}: `, '').replace(/^layer '[^']*' (\([^)]*\) )?/, '')
        .replace(/^cannot be computed here: /, '').replace(/,? which (cannot be computed|no layer computes) here.*/, '')
      refused.push([title, why])
    })
    if (!model) continue
    alike.push(title)
    if (model.layers.some(layer => layer instanceof KerasAugmentation && !layer.acts)) idle.push(title)
    try {
      const given = inputs.map(({ shape, values }) => tf.tensor(values, shape))
      const error = difference(firstOf(model.predict(given.length > 1 ? given : given[0]) as Tensor).dataSync(), output)
      const slope = slopes(model, given, gradients)
      if (!(error <= 2e-6)) wrong.push(`${title}: off by ${error}`)
      if (!(slope <= 1e-5)) wrong.push(`${title}: its gradient is off by ${slope}`)
      furthest = Math.max(furthest, error)
      steepest = Math.max(steepest, slope)
      await save(model, join(folder, `${number}.again.keras`))
      await save(model, join(folder, `${number}.again.h5`)).catch((error: Error) => {
        unsaved.push(`\`${title}\` (${error.message.replace(/^layer '[^']*' /, 'it ')})`)
      })
      const trained = step ? stepped(model, given, step) : 0
      farthest = Math.max(farthest, trained)
      if (!(trained <= 1e-5)) wrong.push(`${title}: in training it is off by ${trained}`)
      await trains(model, given)
    } catch (error) {
      wrong.push(`${title}: ${(error as Error).message}`)
    }
    model.dispose()
  }
  execFileSync(python, [script, folder, 'again'], { stdio: 'ignore' })
  const again = JSON.parse(readFileSync(join(folder, 'again.json'), 'utf8')) as [string, string, number | null, string][]
  for (const [title, extension, error, what] of again) {
    if (error === null || !(error <= 2e-6)) wrong.push(`${title}: Keras opens .${extension} of it with ${error ?? what}`)
  }
  if (wrong.length) throw new Error(`loaded, and computed, trained or saved otherwise than in Keras:\n${wrong.join('\n')}`)
  const list = (titles: string[]) => titles.map(title => `\`${title}\``).join(', ')
  const row = ([title, why]: [string, string]) => `| \`${title}\` | ${why.replaceAll('|', '\\|')} |`
  if (!only) writeFileSync(new URL('../../docs/keras-layers.md', import.meta.url), `# Layers of Keras that are read

${cases.length} models of one layer or operation each, saved by Keras ${version} as \`.keras\`, and read by \`load\`:
${alike.length} compute the same (the largest difference is ${furthest.toExponential(0)} of the largest output,
${steepest.toExponential(0)} of the largest gradient, and ${farthest.toExponential(0)} of what a step of training computes and leaves in the weights), train,
and are opened by Keras again once \`save\` has written them as \`.keras\` and \`.h5\`; ${refused.length} are refused in one sentence that names
the layer. None computes something else. Made by \`node bench/save/layers.ts\`, which fails where one does. A layer set to compute in half precision is computed in float32.
${unsaved.length ? `\nNot saved as \`.h5\`: ${unsaved.join('; ')}\n` : ''}
In training these act on images in Keras, and pass them on here (\`data.images(…, { augment })\` does such things without a
layer): ${list(idle)}.
A mask that reaches a model's output leaves out entries of its loss in Keras, not here.

## Read

${list(alike)}.

## Refused

| layer | why |
|---|---|
${refused.map(row).join('\n')}
`)
  if (only) for (const [title, why] of refused) console.log(`refused: ${title}: ${why}`)
  const [far, steep] = [furthest, steepest].map(each => each.toExponential(1))
  console.log(`${alike.length} alike (within ${far}; gradients ${steep}), ${refused.length} refused`)
} finally {
  rmSync(folder, { recursive: true })
}
