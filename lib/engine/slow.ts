import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { startedEngine } from './start.ts'

/**
 * Refuses to train convolutions in plain JavaScript, which takes hundreds of times as long as on the other engines, unless it was
 * asked for by `GRAFT_ENGINE=cpu`.
 *
 * @throws GraftError that says how to get another engine
 */
export function refuseSlow(layers: tf.layers.Layer[]): void {
  const started = startedEngine()
  if (tf.getBackend() !== 'cpu' || started?.name === 'cpu') return
  const slow = allOf(layers).find(layer => layer.getClassName().includes('Conv'))
  if (!slow) return
  throw new GraftError(`plain JavaScript would take hundreds of times as long to train convolutions ('${slow.name}'): await tf.setBackend('${started?.name}') goes back to the engine `
    + 'that was started. GRAFT_ENGINE=cpu, set before the start, asks for plain JavaScript all the same.')
}

/** The layers of models within models too. */
const allOf = (layers: tf.layers.Layer[]): tf.layers.Layer[] =>
  layers.flatMap(layer => layer instanceof tf.LayersModel ? allOf(layer.layers) : layer)
