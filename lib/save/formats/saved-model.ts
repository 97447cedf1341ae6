import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { leaves } from '../../customize/layers.ts'
import { graphOf } from '../../engine/graph.ts'
import { load as loadFromHub } from '../../hub/load.ts'
import { noteFile } from '../../hub/saved-model.ts'
import { lift } from '../../lift/index.ts'
import { tf } from '../../tf.ts'
import { applyNote, ascii, makeNote, type Note, readNote } from '../note.ts'
import { writeSavedModel } from '../saved-model/write.ts'
import { h5Places, readState } from '../weights.ts'
import type { Format } from './format.ts'

/** What a SavedModel's note tells besides: which layers were frozen, since TensorFlow keeps that of variables alone. */
interface SavedNote extends Note { frozen: string[] }

/**
 * TensorFlow's SavedModel, a folder: what TensorFlow Serving, TensorFlow Lite's converter and `tf.saved_model.load` open, with
 * the functions that make it a hub model (`__call__(inputs, training)`, `variables`, `trainable_variables`,
 * `regularization_losses`). The computation and the weights, no compilation and no optimizer: training goes on from a `.keras`
 * or `.h5`.
 */
export const savedModel: Format = {
  extension: 'saved_model.pb',
  what: "TensorFlow's SavedModel, a folder",
  async encode(model, { readers }) {
    const places = h5Places(model), state = await readState(model, places)
    const named = places.flatMap(({ weights }) => weights.map(({ weight }) => weight))
    const data = state.layers.flatMap(({ weights }) => weights.map(weight => weight.data))
    const { files, leftOut } = writeSavedModel(model, new Map(named.map((weight, i) => [weight, data[i]])))
    const frozen = graphOf(model).steps.filter(({ layer, frozen }) => frozen || !layer.trainable).map(({ layer }) => layer.name)
    const { fingerprint: _, ...note } = makeNote(model, readers, { ...state, training: undefined })
    const text = ascii({ ...note, frozen: [...new Set(frozen)] } satisfies SavedNote)
    files.set(noteFile, [new Uint8Array(Buffer.from(text))])
    return {
      parts: [], folder: files, weights: state.layers, check: folder => differs(folder!, model),
      words: [
        ['Serves', `serving_default and __call__(inputs, training); hub.load opens it as layers. The optimizer stays behind: ` +
          'keep a .keras to train on from'],
        ...leftOut.length ? [['Left out', `${leftOut.join(', ')}: it acts in training alone`] as [string, string]] : [],
      ],
    }
  },
  async decode(_, { path }) {
    const folder = dirname(path)
    const text = await readFile(join(folder, noteFile), 'utf8').catch(() => undefined)
    const note = readNote(text) as SavedNote | undefined
    if (!note) return await loadFromHub(folder, { fresh: true })
    const { model } = await lift(folder), frozen = new Set(Array.isArray(note.frozen) ? note.frozen : [])
    for (const layer of leaves(model)) if (frozen.has(layer.name)) layer.trainable = false
    applyNote(note, model, () => [])
    return model
  },
}

/** Lifts what was written and runs it beside the model, on noise; resolves to what differs. Several inputs are not lifted. */
async function differs(folder: string, model: LayersModel): Promise<string | undefined> {
  if (model.inputs.length > 1) return undefined
  const { model: again } = await lift(folder)
  const shape = model.inputs[0].shape.map((side, axis) => side ?? (axis === 0 ? 2 : 64))
  const x = tf.randomUniform(shape, 0, 1, 'float32', 1)
  const run = (each: LayersModel) => [each.predictOnBatch(x)].flat() as Tensor[]
  const wanted = run(model), got = run(again)
  try {
    for (const [i, tensor] of wanted.entries()) {
      const want = Float32Array.from(await tensor.data()), have = await got[i].data()
      const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      if (want.some((value, j) => !(Math.abs(value - have[j]) <= 1e-3 * largest))) return `what it computes (output ${i})`
    }
    return undefined
  } finally {
    tf.dispose([x, ...wanted, ...got])
    again.dispose()
  }
}
