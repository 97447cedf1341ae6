import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { didYouMean, GraftError } from '../error.ts'
import { improveGradients } from './gradients.ts'
import { addKernels } from './wasm/kernels.ts'

/** The engines that can train here, the fastest first. */
export const engines = ['wasm', 'cpu'] as const
export type EngineName = typeof engines[number]

/** Which engine runs, and whether the user asked for it by name. */
export interface Started {
  name: EngineName
  forced: boolean
}

let started: Promise<Started> | undefined

/**
 * Makes the arithmetic ready: WebAssembly SIMD with the library's own gradient kernels, or what `GRAFT_ENGINE` asks for. Nothing is
 * fetched. A second call gives the first one's answer.
 *
 * @throws GraftError where `GRAFT_ENGINE` names no engine
 */
export function startEngine(): Promise<Started> {
  return started ??= start(process.env.GRAFT_ENGINE)
}

async function start(wish: string | undefined): Promise<Started> {
  if (wish && !engines.includes(wish as EngineName)) {
    throw new GraftError(`GRAFT_ENGINE: expected ${engines.map((name) => `'${name}'`).join(' or ')}, received '${wish}'.`
      + `${didYouMean(wish, engines)} Unset it to let the library choose.`)
  }
  const name = (wish || 'wasm') as EngineName
  const cpu = tf.findBackend('cpu') as unknown as { firstUse: boolean }
  cpu.firstUse = false // Otherwise its first use prints advice to install another package.
  if (name === 'wasm') {
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')
    setWasmPaths(`${dirname(main)}/`)
  }
  const listeners = faultListeners()
  await tf.setBackend(name)
  // The WASM module makes every uncaught error end the process, whoever's it is; that is for the program to decide.
  for (const [event, before] of listeners) {
    for (const listener of process.listeners(event as 'uncaughtException')) if (!before.includes(listener)) process.off(event, listener)
  }
  if (name === 'wasm') addKernels()
  improveGradients()
  return { name, forced: Boolean(wish) }
}

const faultListeners = () => ['uncaughtException', 'unhandledRejection'].map(event => [event, process.listeners(event as 'uncaughtException')] as const)
