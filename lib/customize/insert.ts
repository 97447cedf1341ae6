import type { LayersModel } from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { type Edit } from './copy.ts'
import { type Layer } from './layers.ts'
import type { At, NamesOf, Unknown } from './named.ts'
import { everyLayer, expectedBy, Graft, layerAt, operate } from './surgery.ts'

export interface AfterOptions<N extends string = string, S extends string = never> {
  /** Only on the way to this layer; where a layer's output goes several ways, the others stay. Default all of them. */
  to?: At<N> | Unknown<S>
}

export interface BeforeOptions<N extends string = string, S extends string = never> {
  /** On the way from this layer: needed where a layer has several inputs, as `Add` and `Concatenate` have. */
  from?: At<N> | Unknown<S>
}

/**
 * A new model with layers after one of its layers; its weights are copies, the model given stays as it is.
 *
 * @param at the layer, by name, by index or itself; also one inside a nested model. One that is used several times gets the
 *   new layers, shared, after each use.
 * @param layers One layer or several, one after the other. Copies of them are put in; one that has weights already brings them
 *   along.
 * @throws GraftError for an unknown layer, a name that is taken, a shape that does not fit, with both shapes; no weight was moved
 *   then
 * @example
 * const wider = insertAfter(base, 'block_4_add', tf.layers.dropout({ rate: 0.1, name: 'drop' }))
 * @example
 * insertAfter(base, 'block_4_add', [tf.layers.batchNormalization({}), tf.layers.reLU({})], { to: 'block_5_add' })   // on this edge only
 */
export function insertAfter<M extends LayersModel, S extends string = never>(model: M, at: At<NamesOf<M>> | Unknown<S>,
  layers: Layer | Layer[], { to }: AfterOptions<NamesOf<M>, S> = {}): LayersModel {
  const target = layerAt(model, at)
  if (to !== undefined) return onEdge(model, target, layerAt(model, to), layers, 'insertAfter')
  const graft = new Graft(model, layers, 'insertAfter')
  return operate(model, ({ layer }, inputs, usual) => {
    const outputs = usual(inputs)
    return layer === target ? graft.on(outputs, `which is what '${target.name}' gives`) : outputs
  }, {}, graft)
}

/**
 * A new model with layers before one of its layers; its weights are copies, the model given stays as it is.
 *
 * @throws GraftError as {@link insertAfter}, and for a layer with several inputs where `from` does not say which
 * @example
 * insertBefore(model, 'predictions', tf.layers.dropout({ rate: 0.3, name: 'drop' }))
 * insertBefore(base, 'block_5_add', tf.layers.activation({ activation: 'relu', name: 'extra' }), { from: 'block_4_add' })
 */
export function insertBefore<M extends LayersModel, S extends string = never>(model: M, at: At<NamesOf<M>> | Unknown<S>,
  layers: Layer | Layer[], { from }: BeforeOptions<NamesOf<M>, S> = {}): LayersModel {
  const target = layerAt(model, at)
  if (from !== undefined) return onEdge(model, layerAt(model, from), target, layers, 'insertBefore')
  const sources = target.inboundNodes.map(node => node.inboundLayers)
  if (!sources.some(list => list.length)) {
    throw new GraftError(`insertBefore: '${target.name}' is an input, nothing comes before it. Take insertAfter(model, '${target.name}', …).`)
  }
  const several = sources.find(list => list.length > 1)
  if (several) {
    throw new GraftError(`insertBefore: '${target.name}' has ${several.length} inputs, from ${listOf(several)}. Say which: ` +
      `insertBefore(model, '${target.name}', …, { from: '${several[0].name}' }).`)
  }
  const graft = new Graft(model, layers, 'insertBefore')
  return operate(model, ({ layer }, inputs, usual) =>
    usual(layer === target ? graft.on(inputs, `which is what ${expectedBy(target)}`) : inputs), {}, graft)
}

function onEdge(model: LayersModel, from: Layer, to: Layer, layers: Layer | Layer[], verb: string): LayersModel {
  const graft = new Graft(model, layers, verb)
  let met = false
  const edit: Edit = (use, inputs, usual) => usual(use.layer !== to ? inputs : inputs.map((input, i) => {
    if (use.from[i] !== from) return input
    met = true
    return graft.on([input], `which is what '${from.name}' gives`)[0]
  }))
  const leadsThere = everyLayer(model).includes(to) && to.inboundNodes.some(node => node.inboundLayers.includes(from))
  if (!leadsThere) throw noEdge(from, to, verb)
  const made = operate(model, edit, {}, graft)
  if (!met) {
    graft.discard()
    made.dispose()
    throw noEdge(from, to, verb)
  }
  return made
}

function noEdge(from: Layer, to: Layer, verb: string): GraftError {
  const sources = to.inboundNodes.flatMap(node => node.inboundLayers)
  return new GraftError(`${verb}: '${to.name}' gets nothing from '${from.name}'; it gets its input from ${listOf(sources) || 'outside'}.`)
}

const listOf = (layers: Layer[]) => layers.map(({ name }) => `'${name}'`).join(', ')
