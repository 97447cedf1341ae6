import type { NamedTensorMap, Optimizer, Tensor, Variable } from '@tensorflow/tfjs'
import { didYouMean, GraftError, inWords } from '../error.ts'
import { tf } from '../tf.ts'
import type { LearningRate } from './rates.ts'

/** The optimizers by name, with Keras 3's formulas and defaults; `momentum` is SGD with a momentum of 0.9. */
export type OptimizerName = 'adam' | 'adamw' | 'sgd' | 'momentum' | 'rmsprop'

/** The learning rate of a variable, by its name. It may change from step to step. */
export type RateOf = (variable: string) => number

/** The constants in the formulas, as Keras names them (in camel case); each optimizer takes its own. */
export interface OptimizerSettings {
  beta1: number
  beta2: number
  epsilon: number
  momentum: number
  nesterov: boolean
  rho: number
  weightDecay: number
}

/** Keras's defaults. */
const defaults: OptimizerSettings =
  { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, momentum: 0.9, nesterov: false, rho: 0.9, weightDecay: 0.004 }

type Gradients = NamedTensorMap | { name: string, tensor: Tensor }[]
type Update = (gradient: Tensor, variable: Variable, rate: number, slot: (name: string) => Variable, step: number,
  settings: OptimizerSettings) => void

/**
 * An optimizer whose learning rate may differ from weight to weight (trunk and head) and from step to step (schedules), which
 * those of TensorFlow.js cannot; it works in `model.compile` like any of them.
 */
export class GroupedOptimizer extends tf.Optimizer {
  static readonly className = 'GroupedOptimizer'
  readonly kind: OptimizerName
  /** The learning rate of each variable. Replace it to change the rates of the next step. */
  rateOf: RateOf
  /** What was asked for, from which the rates come. */
  learningRate: LearningRate = 1e-3
  /** What a schedule makes of all rates at this step. */
  factor = 1
  readonly settings: OptimizerSettings
  readonly #slots = new Map<string, Variable>()

  constructor(kind: OptimizerName, rateOf: RateOf, settings: Partial<OptimizerSettings> = {}) {
    super()
    this.kind = kind
    this.settings = { ...defaults, ...settings }
    this.rateOf = rateOf
  }

  /** TensorFlow.js takes anything with its methods for an instance, in subclasses too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && #slots in value
  }

  applyGradients(gradients: Gradients): void {
    const named = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
    const step = this.iterations + 1
    for (const { name, tensor } of named) {
      // A weight that the loss does not reach has no gradient.
      if (!tensor) continue
      const variable = tf.engine().registeredVariables[name]
      tf.tidy(() => updates[this.kind](tensor, variable, this.rateOf(name) * this.factor,
        slot => this.#slot(`${name}/${slot}`, variable), step, this.settings))
    }
    this.incrementIterations()
  }

  #slot(name: string, like: Variable): Variable {
    let slot = this.#slots.get(name)
    if (!slot) this.#slots.set(name, slot = tf.variable(tf.zerosLike(like), false))
    return slot
  }

  /** What is kept of each variable, as `<variable>/<slot>`. */
  get slots(): ReadonlyMap<string, Variable> {
    return this.#slots
  }

  /** What the steps so far left: their number as `iter`, and the slots as `<variable>/<slot>`. */
  override async getWeights(): Promise<{ name: string, tensor: Tensor }[]> {
    return [await this.saveIterations(), ...Array.from(this.#slots, ([name, tensor]) => ({ name, tensor }))]
  }

  /** Goes on where another optimizer's {@link getWeights} ended. */
  override async setWeights(weights: { name: string, tensor: Tensor }[]): Promise<void> {
    this.reset()
    for (const { name, tensor } of await this.extractIterations(weights)) this.#slots.set(name, tf.variable(tensor, false))
  }

  /** Forgets what the steps so far left, as if new. */
  reset(): void {
    for (const slot of this.#slots.values()) slot.dispose()
    this.#slots.clear()
    this.iterations_ = 0
  }

  override dispose(): void {
    this.reset()
    super.dispose()
  }

  getConfig() {
    return { kind: this.kind, ...this.settings }
  }
}

/** One step of one variable. Sources: keras/src/optimizers. */
const updates: Record<OptimizerName, Update> = {
  // Kingma and Ba, "Adam" (2014), section 2's last form, with epsilon outside the bias correction as Keras has it.
  adam(gradient, variable, rate, slot, step, { beta1, beta2, epsilon }) {
    const m = slot('m'), v = slot('v')
    m.assign(m.add(gradient.sub(m).mul(1 - beta1)))
    v.assign(v.add(gradient.square().sub(v).mul(1 - beta2)))
    const alpha = rate * Math.sqrt(1 - beta2 ** step) / (1 - beta1 ** step)
    variable.assign(variable.sub(m.mul(alpha).div(v.sqrt().add(epsilon))))
  },
  // Loshchilov and Hutter, "Decoupled weight decay regularization" (2017).
  adamw(gradient, variable, rate, slot, step, settings) {
    variable.assign(variable.sub(variable.mul(settings.weightDecay * rate)))
    updates.adam(gradient, variable, rate, slot, step, settings)
  },
  sgd(gradient, variable, rate) {
    variable.assign(variable.sub(gradient.mul(rate)))
  },
  momentum(gradient, variable, rate, slot, _step, { momentum, nesterov }) {
    const velocity = slot('velocity')
    velocity.assign(velocity.mul(momentum).sub(gradient.mul(rate)))
    variable.assign(variable.add(nesterov ? velocity.mul(momentum).sub(gradient.mul(rate)) : velocity))
  },
  rmsprop(gradient, variable, rate, slot, _step, { rho, epsilon }) {
    const v = slot('v')
    v.assign(v.mul(rho).add(gradient.square().mul(1 - rho)))
    variable.assign(variable.sub(gradient.mul(rate).div(v.add(epsilon).sqrt())))
  },
}

/** The optimizer that a name means, or the given one. */
export function optimizerFrom(wish: OptimizerName | Optimizer | undefined, rateOf: RateOf): Optimizer {
  if (typeof (wish as Optimizer | undefined)?.applyGradients === 'function') return wish as Optimizer
  const name = (wish ?? 'adam') as string
  if (!Object.hasOwn(updates, name)) {
    throw new GraftError(`unknown optimizer: ${inWords(name)}.${didYouMean(String(name), Object.keys(updates))} Expected ` +
      `${Object.keys(updates).join(', ')}, ` +
      'or a TensorFlow.js optimizer such as tf.train.adam(1e-3).')
  }
  return new GroupedOptimizer(name as OptimizerName, rateOf)
}
