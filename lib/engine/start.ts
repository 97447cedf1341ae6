import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { type BackendWasm, setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { didYouMean, GraftError } from '../error.ts'
import { improveGradients } from './gradients.ts'
import { drawInTraces } from './random.ts'
import type { TensorFlowBackend } from './tensorflow/backend.ts'
import type { Wheel } from './tensorflow/find.ts'
import type { Tracer } from './tracing.ts'
import { addKernels } from './wasm/kernels.ts'
import type { WebGPUBackend } from './webgpu/backend.ts'
import { findWebGPU, notInstalled } from './webgpu/find.ts'

/** The engines that there are, the fastest first. */
export const engines = ['tensorflow', 'webgpu', 'wasm', 'cpu'] as const
export type EngineName = typeof engines[number]

/** Which engine runs, and whether the user asked for it by name. */
export interface Started {
  name: EngineName
  forced: boolean
  /** Why it is not TensorFlow, in a sentence without its full stop. */
  without?: string
  /** Why it is not a graphics card either, in the same way; absent where that was not asked. */
  withoutGraphics?: string
  /** Why an NVIDIA card that is there is not used by TensorFlow. */
  withoutCuda?: string
  /** Where TensorFlow, or what a graphics card is used through, was found. */
  from?: string
}

let started: Promise<Started> | undefined
let outcome: Started | undefined

let tensorflow: TensorFlowBackend | undefined
let graphics: WebGPUBackend | undefined
const tracers = new Map<string, Tracer>()

/** TensorFlow's backend, where it has been started. */
export const tensorFlow = (): TensorFlowBackend | undefined => tensorflow

/** The graphics card's backend, where it has been started. */
export const webGPU = (): WebGPUBackend | undefined => graphics

/** Whether the engine in use computes on a graphics card. */
export const onCard = (): boolean => tf.getBackend() === 'webgpu'
  || tf.getBackend() === 'tensorflow' && tensorflow!.runtime.devices.includes('GPU')

/** What writes steps down on the engine that is in use; nothing where they run operation by operation. */
export const tracer = (): Tracer | undefined => tracers.get(tf.getBackend())

/** What {@link startEngine} found, once it is done. */
export const startedEngine = (): Started | undefined => outcome

/**
 * Makes the arithmetic ready: a graphics card or TensorFlow's own library where one is found, else WebAssembly SIMD with the
 * library's own gradient kernels, or what `GRAFT_ENGINE` asks for. Nothing is fetched. A second call gives the first one's answer.
 *
 * @throws GraftError where `GRAFT_ENGINE` names no engine, or one that is not here
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
  const found = await fastest(wish as EngineName | undefined)
  prepareWasm()
  await tf.setBackend(found.name)
  improveGradients()
  drawInTraces(() => tracer()?.current ?? null)
  return outcome = { ...found, forced: Boolean(wish) }
}

/**
 * The engine that is wished for; else the first that is here of TensorFlow on an NVIDIA card, a graphics card through WebGPU,
 * TensorFlow, WASM. WebGPU is asked before TensorFlow is loaded: in one process TensorFlow's library takes the place of parts of
 * Dawn's.
 */
async function fastest(wish: EngineName | undefined): Promise<Omit<Started, 'forced'>> {
  if (wish === 'wasm' || wish === 'cpu') return { name: wish, without: `GRAFT_ENGINE=${wish} asks for it` }
  if (wish === 'webgpu') {
    const found = await startGraphics(true)
    if (found.withoutGraphics) throw new GraftError(`GRAFT_ENGINE=webgpu: ${withRemedy(found.withoutGraphics)}.`)
    return { name: wish, without: 'GRAFT_ENGINE=webgpu asks for it', ...found }
  }
  const { findTensorFlow } = await import('./tensorflow/find.ts'), { cudaFor } = await import('./tensorflow/cuda.ts')
  const wheel = findTensorFlow(), cuda = typeof wheel === 'string' ? null : cudaFor(wheel)
  const withoutCuda = cuda && !cuda.ready && cuda.card ? { withoutCuda: cuda.without } : {}
  const card = wish || cuda?.ready ? null : await startGraphics(false)
  if (card?.from) {
    return { name: 'webgpu', ...card, ...withoutCuda, without: typeof wheel === 'string' ? wheel : 'a graphics card is faster' }
  }
  const found = typeof wheel === 'string' ? { without: wheel } : await startTensorFlowHere(wheel)
  if (wish && found.without) throw new GraftError(`GRAFT_ENGINE=tensorflow: ${found.without}. ${remedy}.`)
  return { name: found.without ? 'wasm' : 'tensorflow', ...found, ...card, ...withoutCuda }
}

/** The one command that gets the fastest engine. */
export const remedy = 'node install.js --engine tensorflow installs it'

/** Starts TensorFlow; a library that does not load is no reason not to work at all. */
async function startTensorFlowHere(wheel: Wheel): Promise<{ from: string, without?: undefined } | { without: string }> {
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

/** Why no graphics card is used and, where only the packages are missing, the one command that gets it used. */
export const withRemedy = (reason: string): string =>
  reason === notInstalled || reason.startsWith('GRAFT_WEBGPU') ? `${reason}; node install.js --engine webgpu installs it` : reason

/**
 * Starts a graphics card where there is one; `software` takes a program that plays one too. The engine in use stays what it is.
 */
export async function startGraphics(software: boolean): Promise<Pick<Started, 'from' | 'withoutGraphics'>> {
  const packages = findWebGPU()
  if (typeof packages === 'string') return { withoutGraphics: packages }
  try {
    const { startWebGPU } = await import('./webgpu/start.ts'), backend = await startWebGPU(packages, software)
    if (typeof backend === 'string') return { withoutGraphics: backend }
    graphics = backend
    return { from: packages.from }
  } catch (error) {
    return { withoutGraphics: (error as Error).message.replace(/\.$/, '') }
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
