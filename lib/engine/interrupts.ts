import { host } from '../host.ts'

type TF = typeof import('@tensorflow/tfjs')

/** The parts of TensorFlow.js's engine that are of use here. */
interface Engine {
  state: { gradientDepth: number, activeTape: { saved?: { dispose(): void }[] }[] | null }
  scopedRun<T>(start: () => void, end: () => void, work: () => T): T
  runKernelFunc(params: unknown): unknown
  gradients(...parameters: unknown[]): unknown
}

interface Trained {
  stopTraining: boolean
  makeTrainFunction(): (data: unknown) => unknown
  fit(...parameters: unknown[]): Promise<unknown>
  fitDataset(...parameters: unknown[]): Promise<unknown>
}

const plainly = (work: () => void) => work()

const prepared = new WeakSet<object>()

/**
 * Runs `work` as a section of the host; where the interrupt takes the place of its return, the tensors that it made are disposed
 * of.
 */
export function unbroken<T>(tf: TF, work: () => T): T {
  const { section } = host()
  if (!section) return work()
  let result: T | undefined
  try {
    return section(() => result = work())
  } catch (error) {
    tf.dispose(result as never)
    throw error
  }
}

/**
 * Makes interrupts leave TensorFlow.js as it was: an operation, and a whole step of `model.fit`, are sections that an interrupt
 * waits for and ends with an exception, so that scopes close and tensors are disposed of on the way out. Where an interrupt has
 * to cut off code inside `tf.tidy` or `tf.grads` (a loop without any operation), the scopes and the tape that it left open are
 * closed afterwards. Calling it again does nothing.
 */
export function surviveInterrupts(tf: TF): void {
  const engine = tf.engine() as unknown as Engine
  if (prepared.has(engine)) return
  prepared.add(engine)
  const { runKernelFunc, gradients } = engine, open: (() => void)[] = []

  const close = (work: () => void) => (host().section ?? plainly)(work, { closing: true })

  /** Tensors that were kept for a gradient which nobody will compute. */
  function dropTape() {
    const { state } = engine
    if (state.gradientDepth > 0 || !state.activeTape) return
    for (const { saved } of state.activeTape) for (const tensor of saved ?? []) tensor.dispose()
    state.activeTape = null
  }

  engine.scopedRun = (start, end, work) => {
    start()
    open.push(end)
    try {
      return work()
    } finally {
      close(() => {
        open.pop()
        end()
      })
    }
  }
  engine.runKernelFunc = params => unbroken(tf, () => runKernelFunc.call(engine, params))
  engine.gradients = (...parameters) => {
    try {
      return gradients.apply(engine, parameters)
    } catch (error) {
      dropTape()
      throw error
    }
  }
  const model = tf.LayersModel.prototype as unknown as Trained, { makeTrainFunction } = model
  model.makeTrainFunction = function () {
    const step = makeTrainFunction.call(this)
    return data => unbroken(tf, () => step(data))
  }
  for (const name of ['fit', 'fitDataset'] as const) {
    const fit = model[name]
    // An exception inside would leave the history's tensors behind; asked to stop, it tidies up.
    model[name] = async function (...parameters) {
      const { signal } = host(), stop = () => { this.stopTraining = true }
      signal.addEventListener('abort', stop, { once: true })
      try {
        return await fit.apply(this, parameters)
      } finally {
        signal.removeEventListener('abort', stop)
        signal.throwIfAborted()
      }
    }
  }
  host().afterInterrupt?.(() => {
    for (let end = open.pop(); end; end = open.pop()) end()
    dropTape()
  })
}
