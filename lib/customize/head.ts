import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { cardOf, setCard } from '../card.ts'
import { seedFrom } from '../data/random.ts'
import { GraftError, inWords } from '../error.ts'
import type { Kind } from '../options.ts'
import { tf } from '../tf.ts'
import { outputActivation, shapeOf, type Layer } from './layers.ts'
import { tellNames } from './named.ts'

export interface HeadOptions {
  /** The classes to tell apart, by name, or how many. Their order is the order of the model's outputs. */
  classes: readonly string[] | number
  /** Layers between the features and the output, e.g. `[tf.layers.dense({ units: 128, activation: 'relu' })]`. Default none. */
  head?: Layer[]
  /** The name of the new output layer. Default `predictions`, as in `keras.applications`. */
  name?: string
  /** What the outputs are. `softmax` (default): one class each; `sigmoid`: any number of them. */
  activation?: 'softmax' | 'sigmoid' | 'linear'
  /** The part of the features to drop at random in training, e.g. `0.2`. Default none. */
  dropout?: number
  /** Another seed gives other first weights. Default 1. */
  seed?: number
  /** Whether to say what was built. Default true. */
  show?: boolean
}

/** What each option of a head may be, for {@link checkOptions}. */
export const headOptions: { [name in keyof Required<HeadOptions>]: Kind } = {
  classes: null, head: 'list', name: 'text', activation: ['softmax', 'sigmoid', 'linear'], dropout: 'part', seed: 'number',
    show: 'flag',
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
    throw new GraftError(`'${base.name}' gives ${shapeOf(x.shape)}. A head takes a feature vector [batch, features] or a feature map ` +
      '[batch, height, width, channels].')
  }
  if (dropout !== undefined) x = apply(tf.layers.dropout({ rate: dropout, name: free('dropout') }), x)
  x = stack(x, options.head ?? [], taken, 'head')
  if (options.name && taken.has(options.name)) {
    throw new GraftError(`name: '${options.name}' is a layer of '${base.name}' already. Give the output layer another name.`)
  }
  const kernelInitializer = tf.initializers.glorotUniform({ seed: seedFrom(seed, 'head') })
  const last = tf.layers.dense({ units: count, activation, kernelInitializer, name: options.name ?? free('predictions') })
  const model = tf.model({ name: `custom_${base.name}`, inputs: base.inputs, outputs: apply(last, x) })
  const shape = base.inputs[0].shape
  const { classes: _, ...card } = cardOf(base) ?? { size: [shape[1] ?? 224, shape[2] ?? 224], range: [0, 1] }
  const trunk = new Set(card.trunk ?? base.layers.map(layer => layer.name))
  setCard(model, { ...card, ...classes && { classes },
    trunk: model.layers.map(layer => layer.name).filter(name => trunk.has(name)) })
  return tellNames(model)
}

/** Layers one after the other; `taken` are the names in use, `option` is what the user wrote them under. */
export function stack(x: SymbolicTensor, layers: Layer[], taken: Set<string>, option: string): SymbolicTensor {
  for (const layer of layers) {
    if (typeof layer?.apply !== 'function') {
      throw new GraftError(`${option}: expected layers such as tf.layers.dense({ units: 64, activation: 'relu' }); received ` +
        `${inWords(layer)}.`)
    }
    if (taken.has(layer.name)) {
      throw new GraftError(`${option}: the name '${layer.name}' is taken. Give the layer another one: { name: '${layer.name}_new' }.`)
    }
    taken.add(layer.name)
    x = apply(layer, x)
  }
  return x
}

/**
 * What a head stands on: the base's outputs; where the base is a classifier, what its last layer with weights stands on, so that
 * the old head goes.
 */
export function featuresOf(base: LayersModel): { features: SymbolicTensor[], old: Layer | null } {
  const card = cardOf(base)
  const classifies = base.outputs.length === 1 &&
    (card?.classes || /classification/.test(card?.handle ?? '') || ['softmax', 'sigmoid'].includes(outputActivation(base)))
  let tensor = base.outputs[0]
  while (classifies && tensor.inputs.length === 1) {
    const layer = tensor.sourceLayer
    if (/^(Dense|Conv2D)$/.test(layer.getClassName())) return { features: tensor.inputs, old: layer }
    tensor = tensor.inputs[0]
  }
  return { features: base.outputs, old: null }
}

const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor

function checked(classes: readonly string[] | number): { classes?: string[], count: number } {
  if (typeof classes === 'number') {
    if (!Number.isInteger(classes) || classes < 1 || classes > 1e6) {
      throw new GraftError(`classes must be names or a whole number${classes > 1e6 ? ' up to a million' : ''}; received ${classes}.`)
    }
    return { count: classes }
  }
  if (!Array.isArray(classes)) {
    throw new GraftError(`classes must be names or a number, e.g. customize.extract(base, { classes: digits.classes }); ` +
      `received ${inWords(classes)}.`)
  }
  const odd = classes.find(name => typeof name !== 'string')
  if (odd !== undefined) throw new GraftError(`classes: expected names, received ${inWords(odd)} among them. Take classes.map(String).`)
  if (classes.length < 2) throw new GraftError(`classes: expected two or more, received [${classes.join(', ')}].`)
  const twice = classes.find((name, i) => classes.indexOf(name) !== i)
  if (twice !== undefined) throw new GraftError(`classes: '${twice}' is there twice. Each class needs a name of its own.`)
  return { classes: [...classes], count: classes.length }
}
