import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { cardOf, setCard } from '../card.ts'
import { seedFrom } from '../data/random.ts'
import { GraftError } from '../error.ts'
import { tf } from '../tf.ts'
import { freeze } from './freeze.ts'
import { checkModel } from './layers.ts'

export interface HeadOptions {
  /** The classes to tell apart, by name, or how many. Their order is the order of the model's outputs. */
  classes: readonly string[] | number
  /** The name of the new output layer. Default `predictions`, as in `keras.applications`. */
  name?: string
  /** What the outputs are. `softmax` (default): one class each; `sigmoid`: any number of them. */
  activation?: 'softmax' | 'sigmoid' | 'linear'
  /** The part of the features to drop at random in training, e.g. `0.2`. Default none. */
  dropout?: number
  /** Another seed gives other first weights. Default 1. */
  seed?: number
}

/**
 * Feature extraction: the model stays as it is, frozen, and a new `Dense` layer learns the task from its features. Features with
 * a height and a width are averaged first. The layers are shared with `base`, as in Keras: `base` itself is frozen too.
 *
 * Source: "Transfer learning & fine-tuning", the Keras guides; Yosinski et al., "How transferable are features in deep neural
 * networks?" (2014).
 *
 * @throws GraftError for fewer than two classes, a class named twice, a base without features
 * @example
 * const model = customize.extract(base, { classes: digits.classes })
 * await train(model, digits, { epochs: 10 })
 */
export function extract(base: LayersModel, options: HeadOptions): LayersModel {
  checkModel(base)
  const model = withHead(base, base.outputs, options)
  freeze(base)
  return model
}

/**
 * A new classification head on a tensor that comes from the base; the card says which layers are the trunk. `taken`: names of
 * layers in use.
 */
export function withHead(
  base: LayersModel, features: SymbolicTensor[], options: HeadOptions, taken = new Set(base.layers.map(layer => layer.name)),
): LayersModel {
  const { activation = 'softmax', dropout, seed = 1 } = options
  const { classes, count } = checked(options.classes)
  if (count === 1 && activation === 'softmax') {
    throw new GraftError("classes: one output of a softmax is always 1. For a yes or no, take { classes: 1, activation: " +
      "'sigmoid' } or two classes.")
  }
  if (features.length !== 1) {
    throw new GraftError(`'${base.name}' gives ${features.length} tensors. Choose one: tf.model({ inputs: base.inputs, ` +
      `outputs: base.outputs[0] }).`)
  }
  const free = (name: string) => { while (taken.has(name)) name += '_1'; return name }
  let x = features[0]
  if (x.shape.length === 4) x = apply(tf.layers.globalAveragePooling2d({ name: free('average') }), x)
  if (x.shape.length !== 2) {
    throw new GraftError(`'${base.name}' gives [${x.shape.map(n => n ?? 'batch').join(', ')}]. A head takes a feature vector ` +
      `[batch, features] or a feature map [batch, height, width, channels].`)
  }
  if (dropout !== undefined) {
    if (!(dropout >= 0 && dropout < 1)) {
      throw new GraftError(`dropout must be a part from 0 to below 1, e.g. 0.2; received ${dropout}.`)
    }
    x = apply(tf.layers.dropout({ rate: dropout, name: free('dropout') }), x)
  }
  const kernelInitializer = tf.initializers.glorotUniform({ seed: seedFrom(seed, 'head') })
  const head = tf.layers.dense({ units: count, activation, kernelInitializer, name: options.name ?? free('predictions') })
  const model = tf.model({ name: `custom_${base.name}`, inputs: base.inputs, outputs: apply(head, x) })
  const shape = base.inputs[0].shape
  const card = cardOf(base) ?? { size: [shape[1] ?? 224, shape[2] ?? 224], range: [0, 1] }
  const trunk = new Set(card.trunk ?? base.layers.map(layer => layer.name))
  setCard(model, { ...card, classes, trunk: model.layers.map(layer => layer.name).filter(name => trunk.has(name)) })
  return model
}

const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor

function checked(classes: readonly string[] | number): { classes?: string[], count: number } {
  if (typeof classes === 'number') {
    if (!Number.isInteger(classes) || classes < 1) {
      throw new GraftError(`classes must be names or a whole number; received ${classes}.`)
    }
    return { count: classes }
  }
  if (!Array.isArray(classes)) {
    throw new GraftError(`classes must be names or a number, e.g. customize.extract(base, { classes: digits.classes }); ` +
      `received ${classes}.`)
  }
  if (classes.length < 2) throw new GraftError(`classes: expected two or more, received [${classes.join(', ')}].`)
  const twice = classes.find((name, i) => classes.indexOf(name) !== i)
  if (twice !== undefined) throw new GraftError(`classes: '${twice}' is there twice. Each class needs a name of its own.`)
  return { classes: [...classes], count: classes.length }
}
