import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { host } from '../../host.ts'
import type { Dataset } from '../hdf5/tree.ts'
import { isObject, type Json } from '../keras/types.ts'
import type { Note } from '../note.ts'
import { NotResumed, trainingFrom, type Keeper } from './keras.ts'
import { resumeTraining } from './state.ts'

/**
 * Compiles a loaded model as the file tells, so that training goes on where it stopped. Where it cannot, the model stays as it
 * is, uncompiled, and a line says why: a model is worth more than its optimizer.
 */
export async function resume(
  model: LayersModel, note: Note | undefined, config: Json | undefined, vars: Dataset[] | undefined, keeper: Keeper,
): Promise<void> {
  if (!isObject(config) || (config.optimizer ?? config.optimizer_config ?? null) === null) return
  try {
    const state = trainingFrom(model, config, vars, keeper)
    if (note?.training) Object.assign(state, note.training)
    await resumeTraining(model, state)
  } catch (error) {
    if (!(error instanceof NotResumed) && !(error instanceof GraftError)) throw error
    const why = error.message.replace(/\.$/, '')
    host().display({ 'text/plain': `'${model.name}' is loaded, but its training starts anew: ${why}.` })
  }
}
