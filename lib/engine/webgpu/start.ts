import { createRequire } from 'node:module'
import * as tf from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { quietly } from '../quiet.ts'
import { findAdapter, openDevice } from './adapter.ts'
import { makeBackend } from './backend.ts'
import type { Opened, WebGPUBackend } from './backend.ts'
import { Events } from './events.ts'
import type { Classes } from './events.ts'
import type { Packages } from './find.ts'
import { addKernels } from './kernels/index.ts'
import { each } from './program.ts'
import type { StockClass } from './stock.ts'

/** The engine's name, for `GRAFT_ENGINE` and `tf.getBackend()`. */
export const name = 'webgpu'

/** What the package `webgpu` gives. */
interface Module { create(options: string[]): GPU, globals: Classes }

let dawn: Promise<{ gpu: GPU, events: Events }> | undefined

/** Dawn, loaded once: its classes become global, as in a browser. */
function loadDawn(packages: Packages): Promise<{ gpu: GPU, events: Events }> {
  return dawn ??= import(packages.dawn).then(({ create, globals }: Module) => {
    Object.assign(globalThis, globals)
    return { events: new Events(globals), gpu: quietly(() => create([])) }
  })
}

/**
 * Opens the fastest graphics card, proves it by a small calculation, and registers the backend `webgpu`.
 *
 * @param software whether an adapter that computes on the processor will do
 * @returns the backend, or a sentence that says why there is no card
 * @throws GraftError where the packages do not load, or do not do what they should
 */
export async function startWebGPU(packages: Packages, software: boolean): Promise<WebGPUBackend | string> {
  const { gpu, events } = await loadDawn(packages)
  const open = async (): Promise<Opened | string> => {
    const found = await quietly(() => findAdapter(gpu, software))
    if (typeof found === 'string') return found
    const { adapter, facts } = found
    return { device: await openDevice(adapter), info: adapter.info, facts }
  }
  const again = async () => {
    const opened = await open()
    if (typeof opened === 'string') throw new GraftError(opened)
    return opened
  }
  const first = await open()
  if (typeof first === 'string') return first
  // It registers its kernels now, and would register itself too if the browser's `navigator` offered a GPU already.
  const { WebGPUBackend: Stock } = createRequire(import.meta.url)(packages.backend) as { WebGPUBackend: StockClass }
  const backend = offering(gpu, () => makeBackend(Stock, events, first, again))
  prove(backend)
  addKernels(backend)
  tf.registerBackend(name, () => backend, 2)
  return backend
}

/** A program compiled and run, with numbers that are known. */
function prove(backend: WebGPUBackend): void {
  const x = backend.makeTensorInfo([4], 'float32', Float32Array.of(1, 2, 3, 4))
  const square = each(backend, { key: 'proof', inputs: { x }, shape: [4] }, 'value = x[index] * x[index];')
  const values = backend.readSync(square.dataId)
  for (const { dataId } of [x, square]) backend.disposeData(dataId)
  if (String(values) !== '1,4,9,16') throw new GraftError(`${backend.facts.name} computed [${values}] in place of [1,4,9,16]`)
}

/** TensorFlow.js's backend is made only where the browser's `navigator` offers a GPU. */
function offering<T>(gpu: GPU, work: () => T): T {
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
  try {
    return work()
  } finally {
    Reflect.deleteProperty(navigator, 'gpu')
  }
}
