import type { NamedTensorMap, Optimizer, Tensor, Variable } from '@tensorflow/tfjs'
import { adamAtOnce } from '../engine/adam.ts'
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
  /**
   * Each weight's gradient is made at most so long, all together, or each of its values at most so large; 0 for as it is. One of
   * the three.
   */
  clipNorm: number
  globalClipNorm: number
  clipValue: number
  /** Steps whose gradients are averaged to one change of the weights: a larger batch in little memory. Default 1. */
  accumulate: number
  /** What stays of the weights' running mean at each step, e.g. 0.99; `average()` puts it in their place. 0 for none. */
  emaMomentum: number
}

/** Keras's defaults. */
const defaults: OptimizerSettings =
  {
    beta1: 0.9, beta2: 0.999, epsilon: 1e-7, momentum: 0.9, nesterov: false, rho: 0.9, weightDecay: 0.004,
    clipNorm: 0, globalClipNorm: 0, clipValue: 0, accumulate: 1, emaMomentum: 0,
  }

type Gradients = NamedTensorMap | { name: string, tensor: Tensor }[]
type Slot = (name: string) => Variable

/** What an optimizer does to one variable. */
interface Rule {
  /** What it keeps of each variable. */
  slots: string[]
  /** The numbers of a step that its formula takes, from the learning rate and the step's number, counted from 1. */
  numbers(rate: number, step: number, settings: OptimizerSettings): number[]
  update(gradient: Tensor, variable: Variable, numbers: (number | Tensor)[], slot: Slot, settings: OptimizerSettings): void
}

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

  /** One step: gradients by the names of their variables. */
  applyGradients(gradients: Gradients): void {
    const named = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
    // A weight that the loss does not reach has no gradient.
    const reached = named.filter(({ tensor }) => tensor)
    const numbers = this.numbersFor(reached.map(({ name }) => name)), each = this.width
    tf.tidy(() => this.#apply(reached, i => Array.from(numbers.subarray(i * each, (i + 1) * each)), this.counts))
    this.incrementIterations()
  }

  /** As `applyGradients`, with the numbers of {@link numbersFor} as a tensor, and without counting the step. */
  applyWith(gradients: NamedTensorMap, numbers: Tensor): void {
    const named = Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }))
    const rows = tf.unstack(numbers.reshape([-1])), each = this.width
    this.#apply(named, i => rows.slice(i * each, (i + 1) * each), this.counts)
  }

  /** How many numbers each variable has. */
  get width(): number {
    return rules[this.kind].numbers(1, 1, this.settings).length + 1
  }

  /**
   * What the formulas take of this step besides tensors: for each variable learning rate and corrections, and what stays of its
   * running mean.
   */
  numbersFor(variables: string[]): Float32Array {
    const { settings } = this, step = Math.floor(this.iterations / settings.accumulate) + 1
    const stays = step > 1 ? settings.emaMomentum : 0
    return Float32Array.from(variables.flatMap(name =>
      [...rules[this.kind].numbers(this.rateOf(name) * this.factor, step, settings), stays]))
  }

  /** Whether this step changes weights, or only adds up gradients. */
  get counts(): boolean {
    return (this.iterations + 1) % this.settings.accumulate === 0
  }

  /** Makes what is kept of these variables, before their first step. */
  prepare(variables: Variable[]): void {
    const { accumulate, emaMomentum } = this.settings
    const all = [...rules[this.kind].slots, ...accumulate > 1 ? ['gradients'] : [], ...emaMomentum ? ['average'] : []]
    for (const variable of variables) for (const slot of all) this.#slot(`${variable.name}/${slot}`, variable)
  }

  /** Counts a step. */
  stepped(): void {
    this.incrementIterations()
  }

  #apply(gradients: { name: string, tensor: Tensor }[], numbersOf: (i: number) => (number | Tensor)[], counts: boolean): void {
    const { accumulate, emaMomentum } = this.settings
    const variables = gradients.map(({ name }) => tf.engine().registeredVariables[name])
    const slotOf = (i: number): Slot => name => this.#slot(`${variables[i].name}/${name}`, variables[i])
    let tensors = gradients.map(({ tensor }) => tensor)
    if (accumulate > 1) {
      const sums = tensors.map((tensor, i) => slotOf(i)('gradients').add(tensor))
      sums.forEach((sum, i) => slotOf(i)('gradients').assign(counts ? tf.zerosLike(sum) : sum))
      tensors = sums.map(sum => sum.div(accumulate))
    }
    if (counts) {
      clipped(tensors, this.settings).forEach((gradient, i) =>
        tf.tidy(() => rules[this.kind].update(gradient, variables[i], numbersOf(i), slotOf(i), this.settings)))
    }
    if (emaMomentum) {
      variables.forEach((variable, i) => tf.tidy(() => {
        const average = slotOf(i)('average'), stays = numbersOf(i).at(-1)!
        average.assign(average.sub(variable).mul(stays).add(variable))
      }))
    }
  }

  /** Puts the running means in the place of the weights, as Keras does at the end of a training with `use_ema`. */
  average(): void {
    for (const [name, slot] of this.#slots) {
      if (name.endsWith('/average')) tf.engine().registeredVariables[name.slice(0, -'/average'.length)]?.assign(slot)
    }
  }

  #slot(name: string, like: Variable): Variable {
    let slot = this.#slots.get(name)
    if (!slot) this.#slots.set(name, slot = tf.tidy(() => tf.variable(tf.zerosLike(like), false)))
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

/** The gradients, shortened as asked. Source: keras/src/optimizers/base_optimizer.py, `_clip_gradients`. */
function clipped(gradients: Tensor[], { clipNorm, globalClipNorm, clipValue }: OptimizerSettings): Tensor[] {
  const square = (tensor: Tensor) => tensor.square().sum()
  // A gradient of zeros stays one.
  const shortened = (tensor: Tensor, norm: Tensor, most: number) => tensor.mul(tf.scalar(most).div(norm.maximum(most)))
  if (clipNorm) return gradients.map(tensor => shortened(tensor, square(tensor).sqrt(), clipNorm))
  if (globalClipNorm) {
    const norm = tf.addN(gradients.map(square)).sqrt()
    return gradients.map(tensor => shortened(tensor, norm, globalClipNorm))
  }
  return clipValue ? gradients.map(tensor => tensor.clipByValue(-clipValue, clipValue)) : gradients
}

/** One step of one variable. Sources: keras/src/optimizers. */
const rules: Record<OptimizerName, Rule> = {
  // Kingma and Ba, "Adam" (2014), section 2's last form, with epsilon outside the bias correction as Keras has it.
  adam: {
    slots: ['m', 'v'],
    numbers: (rate, step, { beta1, beta2 }) => [rate * Math.sqrt(1 - beta2 ** step) / (1 - beta1 ** step)],
    update(gradient, variable, [alpha], slot, { beta1, beta2, epsilon }) {
      const m = slot('m'), v = slot('v')
      if (adamAtOnce(variable, m, v, gradient, { alpha: alpha as number, beta1, beta2, epsilon })) return
      m.assign(m.add(gradient.sub(m).mul(1 - beta1)))
      v.assign(v.add(gradient.square().sub(v).mul(1 - beta2)))
      variable.assign(variable.sub(m.mul(alpha).div(v.sqrt().add(epsilon))))
    },
  },
  // Loshchilov and Hutter, "Decoupled weight decay regularization" (2017).
  adamw: {
    slots: ['m', 'v'],
    numbers: (rate, step, settings) => [...rules.adam.numbers(rate, step, settings), settings.weightDecay * rate],
    update(gradient, variable, [alpha, decay], slot, settings) {
      variable.assign(variable.sub(variable.mul(decay)))
      rules.adam.update(gradient, variable, [alpha], slot, settings)
    },
  },
  sgd: {
    slots: [],
    numbers: rate => [rate],
    update: (gradient, variable, [rate]) => variable.assign(variable.sub(gradient.mul(rate))),
  },
  momentum: {
    slots: ['velocity'],
    numbers: rate => [rate],
    update(gradient, variable, [rate], slot, { momentum, nesterov }) {
      const velocity = slot('velocity'), step = gradient.mul(rate)
      velocity.assign(velocity.mul(momentum).sub(step))
      variable.assign(variable.add(nesterov ? velocity.mul(momentum).sub(step) : velocity))
    },
  },
  rmsprop: {
    slots: ['v'],
    numbers: rate => [rate],
    update(gradient, variable, [rate], slot, { rho, epsilon }) {
      const v = slot('v')
      v.assign(v.mul(rho).add(gradient.square().mul(1 - rho)))
      variable.assign(variable.sub(gradient.mul(rate).div(v.add(epsilon).sqrt())))
    },
  },
}

/** An optimizer by name, with settings of its own: `{ name: 'adamw', weightDecay: 0.01, clipNorm: 1 }`. */
export type OptimizerChoice = { name: OptimizerName } & Partial<OptimizerSettings>

/** The optimizer that a name or a choice means, or the given one. */
export function optimizerFrom(wish: OptimizerName | OptimizerChoice | Optimizer | undefined, rateOf: RateOf): Optimizer {
  if (typeof (wish as Optimizer | undefined)?.applyGradients === 'function') return wish as Optimizer
  const chosen = typeof wish === 'object' && wish !== null ? wish as OptimizerChoice : { name: (wish ?? 'adam') as OptimizerName }
  const { name, ...settings } = chosen
  if (typeof name !== 'string' || !Object.hasOwn(rules, name)) {
    throw new GraftError(`unknown optimizer: ${inWords(name ?? wish)}.${didYouMean(String(name), Object.keys(rules))} Expected ` +
      `${Object.keys(rules).join(', ')}, or one with settings, { name: 'adamw', weightDecay: 0.01 }, ` +
      'or a TensorFlow.js optimizer such as tf.train.adam(1e-3).')
  }
  checkSettings(settings)
  return new GroupedOptimizer(name, rateOf, settings)
}

const whole = new Set(['accumulate']), below1 = new Set(['beta1', 'beta2', 'momentum', 'rho', 'emaMomentum'])

function checkSettings(settings: Partial<OptimizerSettings>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(defaults, name)) {
      const known = Object.keys(defaults)
      throw new GraftError(`optimizer: unknown setting '${name}'.${didYouMean(name, known)} Expected ${known.join(', ')}.`)
    }
    const number = typeof value === 'number' && value >= 0 && (!below1.has(name) || value < 1) &&
      (!whole.has(name) || Number.isInteger(value) && value > 0)
    if (name === 'nesterov' ? typeof value === 'boolean' : number) continue
    const expected = name === 'nesterov' ? 'true or false' : whole.has(name) ? 'a whole number above 0'
      : below1.has(name) ? 'a number from 0 to below 1' : 'a number from 0'
    throw new GraftError(`optimizer.${name} must be ${expected}; received ${inWords(value)}.`)
  }
  const clips = (['clipNorm', 'globalClipNorm', 'clipValue'] as const).filter(name => settings[name])
  if (clips.length > 1) {
    throw new GraftError(`optimizer: expected one of clipNorm, globalClipNorm and clipValue; received ${clips.join(' and ')}.`)
  }
}
