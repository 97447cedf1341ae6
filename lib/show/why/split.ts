import type { LayersModel, Tensor } from '@tensorflow/tfjs'
import { oneLayer, type Layer } from '../../customize/layers.ts'
import { graphOf, leaving, type Edge, type Step } from '../../engine/graph.ts'
import { modelBetween } from '../../engine/shared-model.ts'
import { GraftError } from '../../error.ts'
import { tf } from '../../tf.ts'

/** A model in two parts at the output of one layer; both share the model's weights. */
export interface Split {
  /** Images → the layer's output, and behind it whatever else the second part needs. */
  before: LayersModel
  /** What the first part gives → the model's output, or what its last layer is fed with where that layer is left to {@link logits}. */
  after: LayersModel
  /** The output of the second part → the model's output before its softmax or sigmoid, `[batch, classes]`. */
  logits: (output: Tensor) => Tensor
  /** Name of the layer at whose output the model is cut, and that output's shape for one image. */
  name: string
  shape: number[]
}

/**
 * Cuts a model at a layer's output.
 * @param at a layer's name, index or the layer itself; without it the last feature map `[height, width, channels]` larger
 *   than 1 × 1
 * @throws GraftError where there is no such layer or no feature map, or where its shape is not fixed
 */
export function splitAt(model: LayersModel, at?: string | number | Layer): Split {
  const graph = graphOf(model)
  const edge = at === undefined ? lastMap(model, graph.steps) : edgeOf(model, graph.steps, at)
  const shape = edge.shape.slice(1)
  if (shape.includes(null)) {
    throw new GraftError(
      `'${edge.name}' has no fixed size, [${shape.map(n => n ?? 'any').join(', ')}]. Fix the model's: customize.resize(base, { size: 224 }).`,
    )
  }
  const inside = stepsUpTo(graph.steps, edge)
  const { steps, ends, logits } = withoutActivation(graph.steps, graph.outputs)
  const frontier = [edge, ...leaving(graph, inside, steps, ends).filter(other => other !== edge)]
  return {
    before: modelBetween(graph.inputs, inside, frontier, `${model.name}_before`),
    after: modelBetween(
      frontier,
      steps.filter(step => !inside.has(step)),
      ends,
      `${model.name}_after`,
    ),
    logits,
    name: edge.name,
    shape: shape as number[],
  }
}

function lastMap(model: LayersModel, steps: Step[]): Edge {
  const isMap = ({ shape }: Edge) => shape.length === 4 && !(shape[1] === 1 && shape[2] === 1)
  const found = steps.flatMap(({ outputs }) => outputs).findLast(isMap)
  if (found) return found
  throw new GraftError(`'${model.name}' has no feature map: no layer gives [batch, height, width, channels].`)
}

function edgeOf(model: LayersModel, steps: Step[], at: string | number | Layer): Edge {
  const layer = oneLayer(model, at)
  const step = steps.find(step => step.layer === layer)
  if (step) return step.outputs[0]
  throw new GraftError(`'${layer.name}' computes nothing that the model's output needs: name a layer between input and output.`)
}

/** The steps that an edge depends on, in order. */
function stepsUpTo(steps: Step[], edge: Edge): Set<Step> {
  const wanted = new Set<Edge>([edge]),
    inside = new Set<Step>()
  for (const step of steps.toReversed()) {
    if (!step.outputs.some(output => wanted.has(output))) continue
    inside.add(step)
    for (const input of step.inputs) wanted.add(input)
  }
  return new Set(steps.filter(step => inside.has(step)))
}

/**
 * Leaves out the output's softmax or sigmoid: a class is explained by its logit, as probabilities saturate. A Dense layer that
 * squashes by itself is left out whole, and computed by {@link Split.logits}.
 */
function withoutActivation(steps: Step[], outputs: Edge[]): { steps: Step[]; ends: Edge[]; logits: Split['logits'] } {
  const same = (x: Tensor) => x
  const last = steps.findLast(step => step.outputs.includes(outputs[0])),
    layer = last?.layer
  const activation = String((layer?.getConfig() as { activation?: string } | undefined)?.activation)
  const kind = layer?.getClassName()
  if (kind !== 'Softmax' && !/^(softmax|sigmoid)$/.test(activation)) return { steps, ends: outputs, logits: same }
  if (kind !== 'Softmax' && kind !== 'Activation' && kind !== 'Dense') return { steps, ends: outputs, logits: same }
  const rest = { steps: steps.filter(step => step !== last), ends: last!.inputs }
  if (kind !== 'Dense' || rest.ends[0].shape.length !== 2)
    return kind === 'Dense' ? { steps, ends: outputs, logits: same } : { ...rest, logits: same }
  const [kernel, bias] = layer!.getWeights()
  return {
    ...rest,
    logits: x => (bias ? tf.add(tf.matMul(x as never, kernel as never), bias) : tf.matMul(x as never, kernel as never)),
  }
}
