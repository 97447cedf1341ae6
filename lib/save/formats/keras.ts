import { GraftError } from '../../error.ts'
import type { Parts } from '../disk.ts'
import { checkHdf5, packHdf5 } from '../hdf5/index.ts'
import { toArchive } from '../keras/archive.ts'
import { fromKeras } from '../keras/decode.ts'
import { toKeras } from '../keras/encode.ts'
import { isObject } from '../keras/types.ts'
import { applyNote, ascii, makeNote, parse, readNote, writerOf } from '../note.ts'
import { compileConfig } from '../training/keras.ts'
import { resume } from '../training/resume.ts'
import { readState, readWeights, varsPlaces } from '../weights.ts'
import { readZip, writeZip, type Packing } from '../zip.ts'
import { pythonBeside } from './beside.ts'
import { begins, countNumbers, decodeTree, type Format } from './format.ts'
import { fillVars, layOutVars, optimizerIn } from './weights.ts'

/** The version of Keras whose form an archive has. */
const kerasVersion = '3.15.1'

/**
 * Keras 3's archive: a zip of the configuration and the weights (`keras/src/saving/saving_lib.py`). Graft's note is a member of
 * its own.
 */
export const keras: Format = {
  extension: '.keras',
  what: 'Keras 3',
  begins: begins.zip,
  async encode(model, { readers, signal }) {
    if (readers !== 'keras3') throw new GraftError('tf_keras opens no .keras file of ours. Save as .h5 for it.')
    const plain = toArchive(toKeras(model, readers)),
      state = await readState(model, varsPlaces(model)),
      { layers: weights, training } = state,
      root = layOutVars(model, state)
    const config = ascii(training ? { ...plain, compile_config: compileConfig(training, model.outputs.length) } : plain)
    const packed = await packHdf5(root, signal)
    const metadata = { keras_version: kerasVersion, date_saved: new Date().toISOString().slice(0, 19).replace('T', '@') }
    const members: Packing = new Map<string, Uint8Array | Parts>([
      ['metadata.json', bytesOf(ascii(metadata))],
      ['config.json', bytesOf(config)],
      ['graft.json', bytesOf(ascii(makeNote(model, readers, state)))],
      ['model.weights.h5', packed],
    ])
    const beside = await pythonBeside(model, true), goesOn = training && training.iterations > 0
    return {
      parts: writeZip(members), weights, check: () => checkHdf5(packed, root, signal), ...beside,
      words: [...goesOn ? [['Training', `goes on after ${training.iterations} steps, here and in Keras 3`] as [string, string]]
        : [],
        ...beside.words ?? []],
    }
  },
  async decode(bytes, { signal }) {
    const members = readZip(bytes)
    const text = (name: string) => (members.has(name) ? Buffer.from(members.get(name)!).toString('utf8') : undefined)
    const config = parse(text('config.json')),
      metadata = parse(text('metadata.json')),
      weights = members.get('model.weights.h5')
    if (!isObject(config) || !weights) {
      throw new GraftError(
        `it is a zip archive, but not a Keras model: it lacks ${isObject(config) ? 'model.weights.h5' : 'config.json'}.`,
      )
    }
    const root = await decodeTree(weights, signal),
      note = readNote(text('graft.json'))
    const writer = writerOf(note, isObject(metadata) ? metadata.keras_version : undefined),
      model = fromKeras(config, writer, countNumbers(root))
    try {
      fillVars(model, root)
      if (note) {
        const stored = await readWeights(model, varsPlaces(model))
        applyNote(note, model, () => stored)
      }
      await resume(model, note, config.compile_config, optimizerIn(root), writer === 'keras3' ? 'keras3' : 'tf_keras')
      return model
    } catch (error) {
      model.dispose()
      throw error
    }
  },
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'utf8'))
