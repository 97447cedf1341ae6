import * as tf from '@tensorflow/tfjs'
import { webGPU } from './start.ts'
import { DeviceLost } from './webgpu/lost.ts'

/** Copies the values of all variables to where a lost graphics card does not take them along. Other engines lose nothing. */
export async function secure(): Promise<void> {
  if (tf.getBackend() === 'webgpu') await webGPU()!.secure()
}

/**
 * Whether an error came of a graphics card that was lost. If so it has been replaced when this resolves, and all variables are as
 * they were at the last {@link secure}; those that were made on the card since then are gone.
 */
export async function wasLost(error: unknown): Promise<boolean> {
  if (!(error instanceof DeviceLost)) return false
  await webGPU()!.renewed()
  return true
}
