import { maskRule, usesMask } from '../../layers/masks.ts'
import { GraftError } from '../../error.ts'
import type { LayerPlan, Output } from './build.ts'
import { isObject, type Json } from './types.ts'

type Config = { [key: string]: Json }

/** How a mask is computed, as a text by which two are the same: `any(masking is not 0)`. */
type Mask = string

/** The masks that layers were called with, by layer and call; nothing where the file does not tell. */
export type ToldMasks = Map<string, (Set<Mask> | undefined)[]>

/** The operations of Keras 3 by which masks come to be. */
const operations = new Set(['NotEqual', 'Any', 'LogicalOr'])
const maskArguments = ['mask', 'query_mask', 'value_mask', 'key_mask']

const nameOf = (layer: Config): string => String(layer.name ?? (layer.config as Config | undefined)?.name)
const sayTensor = ([layer, call, output]: Output): string => `${layer}:${call}:${output}`
const madeBy = (className: string, input: Output, value: Json): Mask =>
  className === 'Masking' ? `any(${sayTensor(input)} is not ${Number(value)})` : `${sayTensor(input)} is not 0`
const either = (masks: Mask[]): Mask => masks.reduce((a, b) => `${a} or ${b}`)

function historyOf(value: Json): Output | undefined {
  if (!isObject(value) || value.class_name !== '__keras_tensor__' || !isObject(value.config)) return undefined
  const history = value.config.keras_history
  return Array.isArray(history) ? [String(history[0]), Number(history[1]), Number(history[2])] : undefined
}

/**
 * Keras 3 writes masks into a Functional model's file as layers of their own, and calls others with them. This tells them apart:
 * the layers without them, and which masks each was called with.
 */
export function withoutMasks(layers: Json[]): { layers: Json[], told: ToldMasks } {
  const nodes = new Map<string, Config>(layers.filter(isObject).map(layer => [nameOf(layer), layer]))
  const taken = new Set<string>(), told: ToldMasks = new Map()
  const maskOf = (value: Json): Mask | undefined => {
    const history = historyOf(value), node = history && nodes.get(history[0])
    if (!history || !node || !operations.has(String(node.class_name))) return undefined
    const [call] = [node.inbound_nodes ?? []].flat(), args = isObject(call) && Array.isArray(call.args) ? call.args : []
    const mask = sayOperation(String(node.class_name), args, maskOf)
    if (mask) taken.add(history[0])
    return mask
  }
  const without = (layer: Json): Json => {
    if (!isObject(layer) || !Array.isArray(layer.inbound_nodes)) return layer
    const name = nameOf(layer)
    const calls = layer.inbound_nodes.map((node): { node: Json, masks?: Set<Mask> } => {
      if (!isObject(node) || !isObject(node.kwargs)) return { node }
      const given = maskArguments.flatMap(key => [(node.kwargs as Config)[key] ?? null].flat()).filter(historyOf)
      const found = given.flatMap(each => maskOf(each) ?? [])
      if (found.length < given.length) throw unreached(name, String(layer.class_name))
      // What else is given as a mask is left for the reader of calls to refuse.
      const isMask = (value: Json) => [value].flat().every(each => each === null || historyOf(each))
      const kwargs = Object.fromEntries(
        Object.entries(node.kwargs).filter(([key, value]) => !(maskArguments.includes(key) && isMask(value))))
      return { node: { ...node, kwargs }, masks: new Set(found) }
    })
    told.set(name, calls.map(({ masks }) => masks))
    return { ...layer, inbound_nodes: calls.map(({ node }) => node) }
  }
  const plain = layers.map(without)
  return { layers: plain.filter(layer => !isObject(layer) || !taken.has(nameOf(layer))), told }
}

function sayOperation(kind: string, [first, second]: Json[], maskOf: (value: Json) => Mask | undefined): Mask | undefined {
  if (kind === 'NotEqual') {
    const input = historyOf(first), value = isObject(second) && isObject(second.config) ? second.config.value : second
    return input && `${sayTensor(input)} is not ${Number(value)}`
  }
  const masks = (kind === 'Any' ? [first] : [first, second]).map(maskOf)
  if (masks.some(mask => mask === undefined)) return undefined
  return kind === 'Any' ? `any(${masks[0]})` : either(masks as Mask[])
}

/**
 * Compares the masks that a model's layers get here with those they were called with, where the file tells them (`told`). Throws
 * a GraftError where they differ, and where Keras's layer heeds a mask and ours does not.
 */
export function checkMasks(layers: LayerPlan[], told: ToldMasks = new Map()): void {
  const byName = new Map(layers.map(layer => [layer.name, layer]))
  const known = new Map<string, Mask | undefined>()
  const maskOf = (output: Output): Mask | undefined => {
    const key = sayTensor(output)
    if (!known.has(key)) {
      // Called again, for a model that is damaged, before it is known.
      known.set(key, undefined)
      known.set(key, output[2] === 0 ? after(byName.get(output[0]), output[1]) : undefined)
    }
    return known.get(key)
  }
  const after = (layer: LayerPlan | undefined, call: number): Mask | undefined => {
    const inputs = layer?.calls[call]
    if (!layer || !inputs?.length || layer.model) return undefined
    const { className, config } = layer, { returnSequences } = isObject(config.layer) ? config.layer.config as Config : config
    switch (maskRule({ className, returnSequences, maskZero: config.maskZero })) {
      case 'made': return madeBy(className, inputs[0], config.maskValue ?? 0)
      case 'passed': return maskOf(inputs[0])
      case 'merged': {
        const masks = inputs.map(maskOf)
        return masks.every(mask => mask !== undefined) ? either(masks as Mask[]) : undefined
      }
      case 'ended': return undefined
    }
  }
  for (const layer of layers) {
    layer.calls.forEach((inputs, call) => {
      const ours = new Set(inputs.flatMap(input => maskOf(input) ?? [])), theirs = told.get(layer.name)?.[call]
      // Keras does not write down with which masks it calls an attention, but does so.
      const differs = theirs && !/Attention$/.test(layer.className) && usesMask(layer.className) && !sameSets(ours, theirs)
      if (differs || (ours.size || theirs?.size) && unheard(layer)) {
        throw unreached(layer.name, layer.className)
      }
    })
  }
}

const unreached = (name: string, className: string): GraftError => new GraftError(
  `layer '${name}' (${className}) heeds a mask in Keras that does not reach it here. Known are those of Masking and ` +
  'Embedding(mask_zero=True), through layers that pass them on and through Add and the like. Leave the mask out, and save again.')

/** Whether a layer would compute otherwise with a mask in Keras, but not here. */
const unheard = ({ className, config, wrapped }: LayerPlan): boolean => className === 'Softmax' ||
  className === 'TimeDistributed' && (wrapped !== undefined || isObject(config.layer) && usesMask(String(config.layer.className)))

const sameSets = (a: Set<Mask>, b: Set<Mask>): boolean => a.size === b.size && [...a].every(each => b.has(each))
