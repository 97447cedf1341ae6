import { createRequire } from 'node:module'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf, setCard, type ModelCard } from '../card.ts'
import { GraftError } from '../error.ts'
import { tf } from '../tf.ts'
import type { OptimizerSettings } from '../train/optimizers.ts'
import type { LearningRate } from '../train/rates.ts'
import { runOf, setRun } from '../train/run.ts'
import type { Readers } from './keras/encode.ts'
import { isObject, type Json, type Writer } from './keras/types.ts'
import { fingerprint, type LayerWeights, type ModelState } from './weights.ts'

/**
 * What Graft adds to a file, and Keras ignores: the card, by which a prediction on an image file is possible, and how the file
 * was made.
 */
export interface Note {
  format: 1
  /** Graft's version. */
  version: string
  tfjs: string
  node?: string
  readers: Readers
  card: ModelCard | null
  /** The learning rates by group, of which Keras knows one, and all settings of the optimizer. */
  training?: { learningRate: LearningRate; settings: OptimizerSettings }
  /** The run that trained the model last. */
  run?: object
  /** Of the weights, where the format does not check them itself. */
  fingerprint?: string
}

/** The note of a model that is being saved. The card goes without what only this machine knows. */
export function makeNote(model: LayersModel, readers: Readers, { layers, training }: ModelState): Note {
  const card = cardOf(model)
  const { folder, ...portable } = card ?? {}
  const run = runOf(model)
  return {
    format: 1,
    version,
    tfjs: tf.version.tfjs,
    node: process.version,
    readers,
    card: card ? (portable as ModelCard) : null,
    ...training && { training: { learningRate: training.learningRate, settings: training.settings } },
    ...run && { run },
    fingerprint: fingerprint(layers),
  }
}

/** Reads a note; undefined where the file is not Graft's. */
export function readNote(text: unknown): Note | undefined {
  const note = parse(text)
  return isObject(note) ? (note as unknown as Note) : undefined
}

/** In whose manner a file is written: Graft's note tells, else the version of Keras that stands in it. */
export const writerOf = (note: Note | undefined, kerasVersion: unknown): Writer =>
  note ? (note.readers === 'tf_keras' ? 'keras2' : 'keras3') : /^[3-9]/.test(String(kerasVersion ?? '')) ? 'keras3' : 'keras2'

/** Checks what was read against the note, and gives the model its card. */
export function applyNote(note: Note | undefined, model: LayersModel, layers: () => LayerWeights[]): void {
  if (!note) return
  if (typeof note.fingerprint === 'string' && fingerprint(layers()) !== note.fingerprint) {
    throw new GraftError('its weights are not those that were saved: the file was changed or damaged. Save or copy it again.')
  }
  if (isObject(note.card)) setCard(model, note.card)
  if (isObject(note.run)) setRun(model, note.run)
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

/** JSON, or undefined where it is none. */
export function parse(text: unknown): Json | undefined {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as Json) : undefined
  } catch {
    return undefined
  }
}

/** JSON as Python's `json.dumps` writes it by default: ASCII alone, so that no reader can take a wrong encoding. */
export const ascii = (value: unknown): string =>
  JSON.stringify(value).replace(/[\u007f-\uffff]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
