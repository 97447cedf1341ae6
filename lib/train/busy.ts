import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'

const busy = new WeakSet<LayersModel>()

/** Does what changes a model's weights; nothing else may meanwhile. @throws GraftError where something does already */
export async function alone<T>(model: LayersModel, work: () => Promise<T>): Promise<T> {
  if (busy.has(model)) throw new GraftError('this model is being trained already. Await that run, or end it by its stop().')
  busy.add(model)
  try {
    return await work()
  } finally {
    busy.delete(model)
  }
}
