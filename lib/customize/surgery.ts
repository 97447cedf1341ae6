import { inspect } from 'node:util'
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { cardOf, rangeOfImages, rangeOfTrunk, setCard } from '../card.ts'
import { GraftError } from '../error.ts'
import { applied, copyLayer, copyModel, type CopyOptions, type Edit } from './copy.ts'
import { checkModel, isModel, leaves, oneLayer, shapeOf, type Layer } from './layers.ts'
import { tellNames, type At } from './named.ts'

/** What stands ready to be put into a model: copies of the layers given, so that a failed attempt leaves those as they were. */
export class Graft {
  readonly layers: Layer[]
  readonly #weights: ReturnType<Layer['getWeights']>[]
  #moved = false

  constructor(model: LayersModel, given: Layer | Layer[], verb: string, freed: Layer[] = []) {
    const list = [given].flat()
    if (!list.length) throw new GraftError(`${verb}: expected one layer or several; received none.`)
    const gone = new Set(freed), taken = new Set(everyLayer(model).filter(layer => !gone.has(layer)).map(layer => layer.name))
    for (const layer of list) {
      if (typeof layer?.apply !== 'function' || typeof layer.getConfig !== 'function') {
        throw new GraftError(`${verb}: expected layers such as tf.layers.batchNormalization({}); received ${inspect(layer, { depth: 0 })}.`)
      }
      for (const { name } of isModel(layer) ? everyLayer(layer).concat(layer) : [layer]) {
        if (taken.has(name)) {
          throw new GraftError(`${verb}: '${model.name}' has a layer '${name}' already. Give the new one another name: { name: '${name}_new' }.`)
        }
        taken.add(name)
      }
    }
    this.layers = list.map(copyLayer)
    this.#weights = list.map(layer => isModel(layer) ? [] : layer.getWeights())
  }

  /** Puts the layers one after the other on the tensors; at a second place they are shared. */
  on(inputs: SymbolicTensor[], before: string): SymbolicTensor[] {
    const outputs = this.layers.reduce((given, layer) => applied(layer, given, before), inputs)
    if (!this.#moved) this.layers.forEach((layer, i) => { if (this.#weights[i].length) layer.setWeights(this.#weights[i]) })
    this.#moved = true
    return outputs
  }

  /** Frees the weights of layers that were put nowhere in the end. */
  discard(): void {
    for (const layer of this.layers) for (const weight of layer.weights) weight.dispose()
  }

  get names(): string { return this.layers.map(layer => `'${layer.name}'`).join(', ') }
}

/** Copies the model with the edit, which puts `graft` somewhere, and gives the copy a card that follows. */
export function operate(model: LayersModel, edit: Edit, options?: CopyOptions, graft?: Graft): LayersModel {
  const made = tellNames(copied(model, edit, options, graft)), card = cardOf(model)
  if (!card) return made
  const { classes, trunk = everyLayer(model).map(layer => layer.name), ...rest } = card
  const names = new Set(everyLayer(made).map(layer => layer.name)), kept = trunk.filter(name => names.has(name))
  const [, height, width] = made.inputs[0].shape
  const range = rangeOfImages(made, rangeOfTrunk(model, card.range, new Set(trunk)), new Set(kept))
  const sameOutput = String(made.outputs[0].shape) === String(model.outputs[0].shape)
  setCard(made, { ...rest, ...classes && sameOutput && { classes }, size: [height ?? card.size[0], width ?? card.size[1]],
    range, trunk: kept })
  return made
}

function copied(model: LayersModel, edit: Edit, options?: CopyOptions, graft?: Graft): LayersModel {
  try {
    return copyModel(model, edit, options)
  } catch (error) {
    graft?.discard()
    throw error
  }
}

/** Checks the model and finds the layer to operate on. */
export function layerAt(model: LayersModel, at: At): Layer {
  checkModel(model)
  return oneLayer(model, at)
}

/** What a layer stands on in the model, for messages. */
export function expectedBy(layer: Layer): string {
  const shapes = layer.inboundNodes.map(node => node.inputTensors.map(tensor => shapeOf(tensor.shape)).join(' and '))
  return `'${layer.name}' received ${[...new Set(shapes)].join('; ')}`
}

/** All layers, nested models among them. */
export const everyLayer = (model: LayersModel): Layer[] => [...model.layers.filter(isModel), ...leaves(model)]
