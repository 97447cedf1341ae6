import type { Run } from '../train/run.ts'
import type { Scalar } from './events.ts'

/** `valAccuracy` → `accuracy`; null for what was measured in training. */
export const validated = (name: string): string | null =>
  /^val[A-Z]/.test(name) ? name[3].toLowerCase() + name.slice(4) : null

/**
 * What a run measured in one epoch (counted from 1), as Keras's TensorBoard callback writes it: `train` and `validation` apart,
 * `epoch_loss`, `epoch_accuracy`, …, at steps from 0.
 */
export function scalarsOf(run: Run, epoch: number): [part: 'train' | 'validation', Scalar[]][] {
  const step = epoch - 1, time = run.times[step] ?? Date.parse(run.started) / 1000
  const parts: Record<'train' | 'validation', Scalar[]> = { train: [], validation: [] }
  for (const [name, values] of Object.entries(run.history)) {
    const held = validated(name)
    parts[held ? 'validation' : 'train'].push({ tag: `epoch_${snake(held ?? name)}`, step, value: values[step], time })
  }
  if (run.rates[step] !== undefined) parts.train.push({ tag: 'epoch_learning_rate', step, value: run.rates[step], time })
  return Object.entries(parts).filter(([, scalars]) => scalars.length) as ['train' | 'validation', Scalar[]][]
}

/** `topFive` → `top_five`, as Keras writes names. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
