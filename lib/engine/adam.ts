import * as tf from '@tensorflow/tfjs'

/** The numbers of a step of Adam; alpha is the learning rate with both corrections of the bias. */
export interface AdamNumbers { alpha: number, beta1: number, beta2: number, epsilon: number }

/**
 * One step of Adam for one variable by a kernel of its own, where the engine has one: m and v are its running means of gradients
 * and of their squares. Source: Kingma and Ba, 2014.
 *
 * @returns whether it was done
 */
export function adamAtOnce(
  weight: tf.Variable, m: tf.Variable, v: tf.Variable, gradient: tf.Tensor, numbers: AdamNumbers,
): boolean {
  if (!tf.getKernel('AdamUpdate', tf.getBackend())) return false
  const results = tf.engine().runKernel('AdamUpdate', { weight, m, v, gradient }, { ...numbers }) as tf.Tensor[]
  for (const [i, variable] of [weight, m, v].entries()) variable.assign(results[i])
  return true
}
