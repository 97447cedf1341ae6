import type { LayersModel } from '@tensorflow/tfjs'

/**
 * What a model must tell besides its layers, so that an image file becomes a prediction; kept beside the model and in saved
 * files.
 */
export interface ModelCard {
  /** The hub handle or folder as the user typed it. */
  handle?: string
  /** The local folder it was read from. */
  folder?: string
  /** The SavedModel's layout: `tf_keras`, `keras3`, `slim`, `tf1`, … */
  layout?: string
  /** Height and width of the input image, in pixels. */
  size: [height: number, width: number]
  /** The pixel values the model expects, e.g. `[0, 1]` (TF Hub's image modules) or `[-1, 1]`. */
  range: [low: number, high: number]
  /** Class names by output index. */
  classes?: string[]
  /** Names of the layers that came from the hub model: the trunk. All others are the head. */
  trunk?: string[]
  /** What lifting could not turn into a layer, or repaired, one line each. */
  notes?: string[]
}

type Layer = LayersModel['layers'][number]

/** Where a layer comes from: the card and the name of the model that it was loaded with, and whether it could learn then. */
interface Origin { card: ModelCard, model: string, trainable: boolean }
type Range = ModelCard['range']

const cards = new WeakMap<object, ModelCard>()
const origins = new WeakMap<Layer, Origin>()
/** The class names of a layer's outputs, by the layer that gives them. */
const named = new WeakMap<Layer, string[]>()

/**
 * The model's card, if it has one. A model that was built by `tf.model` or `tf.sequential` from layers of another one, or around
 * it, has that one's card: the layers that came from there are its trunk, and the class names stay where the same layer gives the
 * output. Where nobody named it (`model1`), it is named after that one: `custom_mobilenet_v2`.
 *
 * @example
 * import { cardOf } from 'graft'
 * cardOf(model)?.classes
 */
export const cardOf = (model: LayersModel): ModelCard | undefined => cards.get(model) ?? inherited(model)

/** A model's name, which a model that nobody named has from where its layers come (see {@link cardOf}). */
export function titleOf(model: LayersModel): string {
  cardOf(model)
  return model.name
}

/**
 * Gives the model a card. The layers of its trunk remember it, so that what is built from them inherits it.
 *
 * @example
 * import { setCard } from 'graft'
 * const own = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [28, 28, 1] }), tf.layers.dense({ units: 2, activation: 'softmax' })] })
 * setCard(own, { size: [28, 28], range: [0, 1], classes: ['even', 'odd'] })
 */
export function setCard(model: LayersModel, card: ModelCard): void {
  cards.set(model, card)
  const layers = within(model), trunk = new Set(card.trunk ?? layers.map(layer => layer.name))
  const origin = { ...card, range: rangeOfTrunk(model, card.range, trunk) }
  for (const layer of layers) {
    if (!origins.has(layer) && trunk.has(layer.name)) origins.set(layer, { card: origin, model: model.name, trainable: layer.trainable })
  }
  const last = model.outputs?.[0]?.sourceLayer
  if (last && card.classes) named.set(last, card.classes)
}

/** Whether a layer could learn when its model was loaded; nothing is known of layers of the user's own. */
export const learnedAtFirst = (layer: Layer): boolean | undefined => origins.get(layer)?.trainable

const isModel = (layer: unknown): layer is LayersModel => Array.isArray((layer as LayersModel)?.layers)

/** The layers of a model, nested models and what is in them included. */
const within = (model: LayersModel): Layer[] => (model.layers ?? []).flatMap(layer => isModel(layer) ? [layer,
  ...within(layer)] : [layer])

function inherited(model: LayersModel): ModelCard | undefined {
  if (!isModel(model) || !model.inputs?.length) return undefined
  const layers = within(model), from = layers.find(layer => origins.has(layer))
  if (!from) return undefined
  const origin = origins.get(from)!, { classes: _, trunk: __, ...card } = origin.card
  if (/^(model|sequential)_?\d+$/.test(model.name) && !model.outboundNodes.length) model.name = `custom_${origin.model}`
  const trunk = layers.filter(layer => origins.has(layer) || cards.has(layer)).map(layer => layer.name)
  const [, height, width] = model.inputs[0].shape, classes = classesOf(model)
  return {
    ...card, size: [height ?? card.size[0], width ?? card.size[1]], range: rangeOfImages(model, card.range, new Set(trunk)),
    ...classes && { classes }, trunk,
  }
}

function classesOf(model: LayersModel): string[] | undefined {
  const last = model.outputs[0].sourceLayer
  return named.get(last) ?? (isModel(last) ? cards.get(last)?.classes ?? classesOf(last) : undefined)
}

/**
 * The pixel values a model takes whose trunk takes `range`: what layers between the image and the trunk rescale is undone. With
 * `tf.layers.rescaling({ scale: 1 / 255 })` before it, a trunk that takes [0, 1] takes [0, 255].
 */
export const rangeOfImages = (model: LayersModel, range: Range, trunk: Set<string>): Range =>
  rescalings(model, trunk).reduceRight<Range>((given, { scale, offset }) =>
    given.map(value => Number(((value - offset) / scale).toPrecision(6))) as Range, range)

/** The pixel values that reach the trunk of a model which takes `range`. */
export const rangeOfTrunk = (model: LayersModel, range: Range, trunk: Set<string>): Range =>
  rescalings(model, trunk).reduce<Range>((given, { scale, offset }) =>
    given.map(value => Number((value * scale + offset).toPrecision(6))) as Range, range)

/** What rescales the image on its one way to the trunk, in order. */
function rescalings(model: LayersModel, trunk: Set<string>): { scale: number, offset: number }[] {
  const layers = new Set(model.layers), found: { scale: number, offset: number }[] = []
  let layer: Layer | undefined = model.inputs?.[0]?.sourceLayer
  while (layer) {
    const next: Layer[] = layer.outboundNodes.map(node => node.outboundLayer).filter(one => layers.has(one))
    layer = next.length === 1 && !trunk.has(next[0].name) ? next[0] : undefined
    if (layer?.getClassName() === 'Rescaling') found.push(layer.getConfig() as never)
  }
  return found
}
