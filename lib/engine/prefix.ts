import { setImmediate } from 'node:timers/promises'
import type { tf } from '../tf.ts'
import { contentHash } from './content-hash.ts'
import { graphOf, leaving } from './graph.ts'
import type { Graph, Step } from './graph.ts'
import { ruleOf } from './onnx/rules/index.ts'
import { modelBetween } from './shared-model.ts'
import { plan } from './stages.ts'
import type { Plan } from './stages.ts'

/** The part of a model that cannot change while it trains, taken out to run once per image. */
export interface FrozenPrefix {
  /** SHA-256 of its structure and weights: equal prefixes give equal features, in any process. */
  readonly hash: string
  /** Names of the layers in it, in order. */
  readonly layers: string[]
  /** Names of the layers whose outputs leave it. */
  readonly frontier: string[]
  /** Their shapes for one image. */
  readonly shapes: number[][]
  /** The other part of the model, from the frontier to its outputs. It shares the layers' weights. */
  readonly rest: tf.LayersModel
  /** What runs it, in words, e.g. `ONNX Runtime 1.30.0`. */
  readonly engine: string
  /** Multiplications per image. */
  readonly work: number
  /** Images run so far. */
  readonly forwards: number
  /**
   * Runs images, a few at a time, so that the event loop keeps turning.
   *
   * @param pixels the images one after the other, as the model takes them
   * @param count how many they are
   * @param signal stops between two runs, by throwing its reason
   * @returns for each layer of the frontier its values, image after image
   */
  run(pixels: Float32Array, count: number, signal?: AbortSignal): Promise<Float32Array[]>
  /** Frees what runs it. `rest` stays usable. */
  dispose(): Promise<void>
}

/**
 * Finds the largest part of a model that cannot change: layers whose weights are frozen or that have none, that draw no random
 * numbers, normalizations that use their moving statistics, all fed by such layers. It is copied out and runs in ONNX Runtime,
 * folded; later changes of its layers do not reach it. What ONNX cannot say of it runs in TensorFlow.js.
 *
 * @returns `null` where no layer with weights is frozen in that way, or where the model takes several inputs or images of any
 * size
 * @example
 * const prefix = frozenPrefix(model)
 * const [features] = await prefix!.run(pixels, 32)
 */
export function frozenPrefix(model: tf.LayersModel): FrozenPrefix | null {
  const graph = graphOf(model), [input] = graph.inputs
  if (graph.inputs.length !== 1 || input.shape.slice(1).includes(null)) return null
  const steps = unchanging(graph)
  if (![...steps].some(({ layer }) => layer.weights.length > 0)) return null
  const frontier = leaving(graph, steps, graph.steps, graph.outputs)
  const others = graph.steps.filter((step) => !steps.has(step))
  return new Prefix(plan(graph, steps, frontier), input.shape.slice(1) as number[], {
    hash: contentHash(graph, steps),
    layers: [...steps].map(({ layer }) => layer.name),
    frontier: frontier.map(({ name }) => name),
    shapes: frontier.map(({ shape }) => shape.slice(1) as number[]),
    rest: modelBetween(frontier, others, graph.outputs, `${model.name}_rest`),
  })
}

/** Layers whose output is drawn anew at each step of training. */
const random = new Set(['Dropout', 'SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise'])

/** Whether a layer gives the same output for the same input at every step of training. */
function steady({ layer, frozen, args }: Step): boolean {
  const kind = layer.getClassName()
  if (!frozen && layer.trainableWeights.length > 0) return false
  if (kind === 'BatchNormalization' && !frozen && layer.trainable) return false
  if (random.has(kind) && layer.getConfig().rate !== 0) return false
  // A layer without a rule is unknown here, unless it says of itself that it draws nothing.
  const known = ruleOf(layer) !== undefined || (layer as { deterministic?: boolean }).deterministic === true
  return known && Object.keys(args).length === 0
}

/** The steady steps that are fed by steady steps alone. */
function unchanging(graph: Graph): Set<Step> {
  const edges = new Set(graph.inputs), steps = new Set<Step>()
  for (const step of graph.steps) {
    if (!step.inputs.every((edge) => edges.has(edge)) || !steady(step)) continue
    steps.add(step)
    for (const edge of step.outputs) edges.add(edge)
  }
  return steps
}

type Facts = Pick<FrozenPrefix, 'hash' | 'layers' | 'frontier' | 'shapes' | 'rest'>

class Prefix implements FrozenPrefix {
  declare readonly hash: string
  declare readonly layers: string[]
  declare readonly frontier: string[]
  declare readonly shapes: number[][]
  declare readonly rest: tf.LayersModel
  readonly engine: string
  readonly work: number
  forwards = 0
  readonly #plan: Plan
  readonly #imageSize: number

  constructor(plan: Plan, inputShape: number[], facts: Facts) {
    Object.assign(this, facts)
    this.engine = plan.engine
    this.work = plan.work
    this.#plan = plan
    this.#imageSize = size(inputShape)
  }

  async run(pixels: Float32Array, count: number, signal?: AbortSignal): Promise<Float32Array[]> {
    const { stages, atOnce } = this.#plan, results = this.shapes.map((shape) => new Float32Array(count * size(shape)))
    for (let first = 0; first < count; first += atOnce) {
      signal?.throwIfAborted()
      const images = Math.min(atOnce, count - first)
      let values = [pixels.subarray(first * this.#imageSize, (first + images) * this.#imageSize)]
      for (const stage of stages) values = await stage.run(values, images)
      values.forEach((data, i) => results[i].set(data, first * size(this.shapes[i])))
      this.forwards += images
      await setImmediate()
    }
    return results
  }

  async dispose(): Promise<void> {
    for (const stage of this.#plan.stages) await stage.dispose()
  }
}

const size = (shape: number[]) => shape.reduce((product, side) => product * side, 1)
