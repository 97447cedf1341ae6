import type { layers as tfLayers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs'
import { GraftError } from '../../error.ts'
import { penalizeActivity, type Penalty } from '../../layers/activity.ts'
import { tf } from '../../tf.ts'
import { isObject, type Json } from './types.ts'

type Layer = tfLayers.Layer

/** A layer's output: by layer, by its call (a layer may be called more than once), by output. */
export type Output = [layer: string, call: number, output: number]

/** A layer as it shall be built: its class and its configuration as TensorFlow.js spells them, and what it is called on. */
export interface LayerPlan {
  name: string
  className: string
  config: { [key: string]: Json }
  /** A model used as a layer. */
  model?: ModelPlan
  /** A model within a wrapper. */
  wrapped?: ModelPlan
  calls: Output[][]
}

/** A model as it shall be built. Of a Sequential one, which is a chain, only the layers count. */
export interface ModelPlan {
  name: string
  sequential: boolean
  trainable: boolean
  layers: LayerPlan[]
  inputs: Output[]
  outputs: Output[]
}

/**
 * Builds a model. Its weights are zero until they are set; together they may hold as many `numbers` as the file they come from,
 * so that a configuration that wants more is refused before they are allocated. Layers are called in the order of their calls,
 * each as soon as its inputs are there, as Keras does it (`functional_from_config`).
 */
export function buildModel(plan: ModelPlan, numbers: number): LayersModel {
  const prototype = tf.layers.Layer.prototype as unknown as {
    addWeight(name: string, shape: number[], ...rest: unknown[]): unknown
  }
  const { addWeight } = prototype
  const made: Layer[] = []
  prototype.addWeight = function (this: Layer, name, shape, ...rest) {
    numbers -= shape.reduce((product, size) => product * size, 1)
    if (!(numbers >= 0)) throw new GraftError(`layer '${this.name}' wants a weight [${shape}], more than the file holds.`)
    made.push(this)
    return addWeight.call(this, name, shape, ...rest)
  }
  try {
    return build(plan)
  } catch (error) {
    for (const layer of new Set(made)) tf.dispose(layer.weights.map(weight => weight.read()))
    throw error instanceof GraftError
      ? error
      : new GraftError(`the model cannot be built: ${(error as Error).message}`, { cause: error })
  } finally {
    prototype.addWeight = addWeight
  }
}

function build(plan: ModelPlan): LayersModel {
  const model = plan.sequential ? buildSequential(plan) : buildFunctional(plan)
  if (!plan.trainable) model.trainable = false
  return model
}

function buildSequential({ name, layers }: ModelPlan): LayersModel {
  const model = tf.sequential({ name: allowed(name) })
  for (const layer of layers) model.add(buildLayer(layer))
  return model
}

function buildFunctional({ name, layers, inputs, outputs }: ModelPlan): LayersModel {
  const built = new Map<string, Layer>()
  for (const layer of layers) {
    if (built.has(layer.name)) throw new GraftError(`two layers are named '${layer.name}'.`)
    built.set(layer.name, buildLayer(layer))
  }
  const waiting = new Map(layers.filter(({ calls }) => calls.length > 0).map(({ name, calls }) => [name, [...calls]]))
  for (let progress = true; waiting.size > 0;) {
    if (!progress) throw new GraftError(`layer '${[...waiting.keys()][0]}' is called on an output that never comes to be.`)
    progress = false
    for (const [name, calls] of waiting) {
      for (let inputs; calls.length && (inputs = tensors(built, calls[0])); progress = true) {
        const layer = built.get(name) as Layer
        layer.apply(inputs.length === 1 ? inputs[0] : inputs)
        calls.shift()
      }
      if (calls.length === 0) waiting.delete(name)
    }
  }
  const ends = (ends: Output[], what: string) => {
    const found = tensors(built, ends)
    if (!found?.length) throw new GraftError(`the model '${name}' has no such ${what}: ${JSON.stringify(ends)}.`)
    return found
  }
  return tf.model({ inputs: ends(inputs, 'inputs'), outputs: ends(outputs, 'outputs'), name: allowed(name) })
}

/** The tensors, or undefined where one of them is not there yet. */
function tensors(built: Map<string, Layer>, outputs: Output[]): SymbolicTensor[] | undefined {
  const found = outputs.map(
    ([name, call, output]) =>
      (built.get(name)?.inboundNodes as unknown as { outputTensors: SymbolicTensor[] }[] | undefined)?.[call]?.outputTensors[
        output
      ],
  )
  return found.every(tensor => tensor !== undefined) ? found : undefined
}

function buildLayer({ className, config, model, wrapped }: LayerPlan): Layer {
  if (model) return build(model)
  if (wrapped) return tf.layers.timeDistributed({ ...config, name: allowed(config.name as string), layer: build(wrapped) })
  const [Class, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className] as unknown as [
    unknown,
    (of: unknown, config: object, custom: object, fast: boolean) => Layer,
  ]
  // Building takes parts of the configuration away.
  const { activityRegularizer, ...settings } = structuredClone(config)
  const layer = fromConfig(Class, { ...settings, name: allowed(config.name as string) }, {}, true)
  if (isObject(activityRegularizer)) penalizeActivity(layer, activityRegularizer.config as unknown as Penalty)
  ;(layer as Layer & { setFastWeightInitDuringBuild(fast: boolean): void }).setFastWeightInitDuringBuild(true)
  return layer
}

/** TensorFlow.js allows fewer letters in a name than Keras. */
const allowed = (name: string): string => name.replace(/[^-\w./]/g, '_').replace(/^[^A-Za-z0-9]/, 'x$&')
