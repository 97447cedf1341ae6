import { percent } from '../show/format.ts'
import type { Run } from './run.ts'

/** Epochs without a better validation loss after which a growing gap is called overfitting. */
const patience = 3

/**
 * Says so once the validation loss has risen for some epochs while the training loss went on falling, and what to do; null as
 * long as there is nothing to say, or where it was said.
 */
export function overfitting(run: Run): string | null {
  const { loss, valLoss } = run.history
  if (!valLoss || valLoss.length <= patience || run.notes.some(note => note.startsWith('Overfitting'))) return null
  const best = valLoss.indexOf(Math.min(...valLoss)), last = valLoss.length - 1
  const rises = last - best >= patience && valLoss[last] > 1.05 * valLoss[best], learns = loss[last] < 0.95 * loss[best]
  return rises && learns ? `Overfitting since epoch ${best + 1}: the validation loss rises while the training loss falls. ` +
    "What helps: earlyStopping: 3 (keeps the best epoch), more images or data.images(folder, { augment: 'photos' }), " +
    'dropout in the head, fewer open layers.' : null
}

/** Says so once a model has unlearned much of an older task. */
export function forgetting(run: Run, name: string, before: number, now: number): string | null {
  const words = `Forgetting '${name}'`
  if (!(before - now > 0.1) || run.notes.some(note => note.startsWith(words))) return null
  return `${words}: its accuracy fell from ${percent(before)} to ${percent(now)} by epoch ${run.history.loss.length} ` +
    '(catastrophic forgetting). What helps: a lower rate for the trunk (learningRate: { trunk: 1e-5, head: 1e-3 }), ' +
    'fewer open layers, frozenEpochs: 2, or some of the old images among the new ones.'
}
