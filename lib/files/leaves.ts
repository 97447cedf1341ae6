import { GraftError } from '../error.ts'
import { snakeClass } from '../save/keras/slots.ts'
import { isObject, type Json } from '../save/keras/types.ts'

/** A layer as a configuration tells it, and the group in which Keras 3 keeps its weights. */
export interface Leaf {
  name: string
  kind: string
  frozen: boolean
  group: string
  config: { [key: string]: Json }
}

/** The layers of a configuration, those of models within the model in their place; wrappers stand for what they hold. */
export function leavesOf(config: Json | undefined, group = '', frozen = false, depth = 0): Leaf[] {
  if (depth > 16) throw new GraftError('models are nested more than 16 deep.')
  const layers = isObject(config) && isObject(config.config) && Array.isArray(config.config.layers) ? config.config.layers : []
  const counts = new Map<string, number>(), sequential = isObject(config) && config.class_name === 'Sequential'
  return layers.flatMap((layer): Leaf[] => {
    if (!isObject(layer) || !isObject(layer.config)) return []
    const kind = String(layer.class_name).replace(/^.*>/, ''), nested = Array.isArray(layer.config.layers)
    // A Sequential model has no layer for its input.
    if (sequential && kind === 'InputLayer') return []
    const snake = nested && kind !== 'Sequential' ? 'functional' : snakeClass(kind), count = counts.get(snake) ?? 0
    counts.set(snake, count + 1)
    const at = `${group}layers/${snake}${count ? `_${count}` : ''}`, still = frozen || layer.config.trainable === false
    if (nested) return leavesOf(layer, `${at}/`, still, depth + 1)
    return [{ name: String(layer.config.name ?? layer.name), kind, frozen: still, group: at, config: layer.config }]
  })
}
