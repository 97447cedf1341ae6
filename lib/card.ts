import type { LayersModel } from '@tensorflow/tfjs'

/** What a model must tell besides its layers, so that an image file becomes a prediction; kept beside the model and in saved files. */
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

const cards = new WeakMap<LayersModel, ModelCard>()

/** The model's card, if it has one. */
export const cardOf = (model: LayersModel): ModelCard | undefined => cards.get(model)

/** Gives the model a card. A model built from another one takes `{ ...cardOf(base), … }`. */
export function setCard(model: LayersModel, card: ModelCard): void {
  cards.set(model, card)
}
