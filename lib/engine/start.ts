import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { didYouMean, GraftError } from '../error.ts'
import { improveGradients } from './gradients.ts'
import { drawInTraces } from './random.ts'
import type { TensorFlowBackend } from './tensorflow/backend.ts'
import type { Tracer } from './tracing.ts'
import { addKernels } from './wasm/kernels.ts'

/** The engines that there are, the fastest first. */
export const engines = ['tensorflow', 'wasm', 'cpu'] as const
export type EngineName = typeof engines[number]

/** Which engine runs, and whether the user asked for it by name. */
export interface Started {
  name: EngineName
  forced: boolean
  /** Why it is not TensorFlow, in a sentence without its full stop. */
  without?: string
  /** Where TensorFlow was found. */
  from?: string
}

let started: Promise<Started> | undefined
let outcome: Started | undefined

let tensorflow: TensorFlowBackend | undefined
const tracers = new Map<string, Tracer>()

/** TensorFlow's backend, where it has been started. */
export const tensorFlow = (): TensorFlowBackend | undefined => tensorflow

/** What writes steps down on the engine that is in use; nothing where they run operation by operation. */
export const tracer = (): Tracer | undefined => tracers.get(tf.getBackend())

/** What {@link startEngine} found, once it is done. */
export const startedEngine = (): Started | undefined => outcome

/**
 * Makes the arithmetic ready: TensorFlow's own library where a tested one is found, else WebAssembly SIMD with the library's own
 * gradient kernels, or what `GRAFT_ENGINE` asks for. Nothing is fetched. A second call gives the first one's answer.
 *
 * @throws GraftError where `GRAFT_ENGINE` names no engine, or TensorFlow and there is none
 */
export function startEngine(): Promise<Started> {
  return started ??= start(process.env.GRAFT_ENGINE)
}

async function start(wish: string | undefined): Promise<Started> {
  if (wish && !engines.includes(wish as EngineName)) {
    throw new GraftError(`GRAFT_ENGINE: expected ${engines.map((name) => `'${name}'`).join(', ')}, received '${wish}'.`
      + `${didYouMean(wish, engines)} Unset it to let the library choose.`)
  }
  const cpu = tf.findBackend('cpu') as unknown as { firstUse: boolean }
  cpu.firstUse = false // Otherwise its first use prints advice to install another package.
  const found = !wish || wish === 'tensorflow' ? await tensorFlowHere() : { without: `GRAFT_ENGINE=${wish} asks for it` }
  if (wish === 'tensorflow' && found.without) throw new GraftError(`GRAFT_ENGINE=tensorflow: ${found.without}. ${remedy}.`)
  const name = (wish || (found.without ? 'wasm' : 'tensorflow')) as EngineName
  prepareWasm()
  await tf.setBackend(name)
  improveGradients()
  drawInTraces(() => tracer()?.current ?? null)
  return outcome = { name, forced: Boolean(wish), ...found }
}

/** The one command that gets the fastest engine. */
export const remedy = 'node install.js --engine tensorflow installs it'

/** Starts TensorFlow where it is found; a library that does not load is no reason not to work at all. */
async function tensorFlowHere(): Promise<{ from: string, without?: undefined } | { without: string }> {
  const { findTensorFlow } = await import('./tensorflow/find.ts'), wheel = findTensorFlow()
  if (typeof wheel === 'string') return { without: wheel }
  try {
    const { startTensorFlow } = await import('./tensorflow/start.ts')
    const { tensorFlowTracer } = await import('./tensorflow/tracer.ts')
    tensorflow = startTensorFlow(wheel)
    tracers.set('tensorflow', tensorFlowTracer(tensorflow))
    return { from: wheel.from }
  } catch (error) {
    return { without: (error as Error).message.replace(/\.$/, '') }
  }
}

/** Completes the WASM backend whenever it is started, also by `tf.setBackend('wasm')`. */
function prepareWasm(): void {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'), make = tf.findBackendFactory('wasm')
  setWasmPaths(`${dirname(main)}/`)
  tf.removeBackend('wasm')
  tf.registerBackend('wasm', async () => {
    const listeners = faultListeners(), backend = await make()
    // The WASM module makes every uncaught error end the process, whoever's it is; that is for the program to decide.
    for (const [event, before] of listeners) {
      for (const listener of listenersOf(event)) if (!before.includes(listener)) process.off(event, listener)
    }
    tracers.set('wasm', addKernels(backend as BackendWasm))
    return backend
  }, 2)
}

const listenersOf = (event: string) => process.listeners(event as 'uncaughtException')

const faultListeners = () => ['uncaughtException', 'unhandledRejection'].map(event => [event, listenersOf(event)] as const)
