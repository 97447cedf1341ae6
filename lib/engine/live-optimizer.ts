import type { NamedTensorMap, Optimizer, Tensor, Variable } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { StepTrace } from './tracing.ts'

/** An optimizer in a step that is written down once: what changes from step to step is handed in. */
export interface LiveOptimizer {
  /** What the step depends on: another function is made where it changes. */
  key: unknown[]
  /** The numbers of the next step for these variables. */
  values(variables: string[]): Float32Array
  /** Makes what the optimizer keeps of the variables. */
  prepare(variables: Variable[]): void
  /** Writes the update down; `values` is where the numbers come from. */
  apply(gradients: NamedTensorMap, values: Tensor, trace: StepTrace): void
  /** Counts a step. */
  stepped(): void
}

/** What an optimizer offers that takes part by itself. */
interface Own extends Optimizer {
  settings: object
  counts: boolean
  numbersFor(variables: string[]): Float32Array
  prepare(variables: Variable[]): void
  applyWith(gradients: NamedTensorMap, numbers: Tensor): void
  stepped(): void
}

/** What TensorFlow.js's optimizers keep that is of use here. */
interface Stock {
  learningRate: number
  iterations: number
  iterations_: number
  /** The learning rate's negative, where it is a tensor: SGD's and Momentum's. */
  c?: Tensor
  /** Variables that count steps. */
  accBeta1?: Variable
  accBeta2?: Variable
  iteration?: Variable
  applyGradients(gradients: NamedTensorMap): void
  incrementIterations(): void
  getClassName(): string
}

const stock = new Set(['SGD', 'Momentum', 'Adam', 'Adamax', 'Adagrad', 'Adadelta', 'RMSProp'])

/** The optimizer for steps that are written down; `null` for one that is unknown here. */
export function liveOptimizer(optimizer: Optimizer): LiveOptimizer | null {
  if (typeof (optimizer as Own).applyWith === 'function') return own(optimizer as Own)
  return stock.has(optimizer.getClassName()) ? ofTensorFlowJs(optimizer as unknown as Stock) : null
}

function own(optimizer: Own): LiveOptimizer {
  return {
    key: [optimizer, optimizer.counts],
    values: variables => optimizer.numbersFor(variables),
    prepare: variables => optimizer.prepare(variables),
    apply: (gradients, values) => optimizer.applyWith(gradients, values),
    stepped: () => optimizer.stepped(),
  }
}

/** The learning rate while a step is written down; wherever it is met, the one that is handed in takes its place. */
const standIn = Math.fround(0.0123456789)

/** TensorFlow.js's optimizers know their learning rate as a number, which may change between steps. */
function ofTensorFlowJs(optimizer: Stock): LiveOptimizer {
  return {
    key: [optimizer],
    values: () => Float32Array.of(optimizer.learningRate),
    prepare(variables) {
      if (optimizer.iterations > 0) return
      // Gradients of zero make what it keeps of the variables and change nothing but its own counts.
      const counts = [optimizer.accBeta1, optimizer.accBeta2, optimizer.iteration].filter(count => count !== undefined)
      tf.tidy(() => {
        const before = counts.map(count => count.clone())
        optimizer.applyGradients(Object.fromEntries(variables.map(variable => [variable.name, tf.zerosLike(variable)])))
        counts.forEach((count, i) => count.assign(before[i]))
      })
      optimizer.iterations_ = 0
    },
    apply(gradients, values, trace) {
      const { learningRate, iterations, c } = optimizer, rate = values.reshape([])
      trace.standIns.replace(standIn, rate)
      try {
        if (c) optimizer.c = rate.neg()
        else optimizer.learningRate = standIn
        optimizer.applyGradients(gradients)
        if (!c && !trace.standIns.hasMet(standIn)) {
          throw trace.refusal(`has an optimizer, ${optimizer.getClassName()}, that does not read its learning rate`)
        }
      } finally {
        Object.assign(optimizer, { learningRate, iterations_: iterations, ...c && { c } })
        trace.standIns.replace(standIn, null)
      }
    },
    stepped: () => optimizer.incrementIterations(),
  }
}
