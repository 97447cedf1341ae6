import { snakeClass } from '../save/keras/slots.ts'
import { isObject, type Json } from '../save/keras/types.ts'

/** What Keras calls the weights of a layer, in its order, by the start of the layer's class in small letters. */
const table: [RegExp, string][] = [
  [/^separable/, 'depthwise_kernel pointwise_kernel bias'],
  [/^depthwise/, 'depthwise_kernel bias'],
  [/^(simple_rnn|gru|lstm|conv_lstm)/, 'kernel recurrent_kernel bias'],
  [/^(conv|dense|einsum_dense|standardized_conv)/, 'kernel bias'],
  [/^batch_normalization/, 'gamma beta moving_mean moving_variance'],
  [/^(layer|group)_normalization/, 'gamma beta'],
  [/^rms_normalization|^additive_attention/, 'scale'],
  [/^attention/, 'scale concat_score_weight'],
  [/^normalization/, 'mean variance count'],
  [/^spectral_normalization/, 'kernel vector_u'],
  [/^embedding/, 'embeddings'],
  [/^p_re_lu/, 'alpha'],
  [/^layer_scale/, 'gamma'],
]

/** Settings without which a weight is left out. */
const needed: Record<string, string> = { gamma: 'scale', beta: 'center', bias: 'use_bias', scale: 'use_scale' }

/**
 * The names of so many weights that a file numbers; the numbers where they are not known. `kind` is the layer's class, as Keras
 * writes it or in small letters.
 */
export function weightNames(kind: string, config: { [key: string]: Json }, count: number): string[] {
  const small = snakeClass(kind), names = table.find(([start]) => start.test(small))?.[1].split(' ') ?? []
  const there = names.filter(name => config[needed[name]] !== false)
  // What else may be missing, or is for want of a configuration, stands at the end.
  const optional = /^(bias|concat_score_weight)$/.test(there.at(-1) ?? '') && there.length - 1 === count
  const known = there.length === count ? there : optional ? there.slice(0, -1) : []
  return Array.from({ length: count }, (_, i) => known[i] ?? String(i))
}

/** The class and configuration of what lies within a wrapper, or of the layer itself. */
export function innermost(kind: string, config: { [key: string]: Json }): { kind: string, config: { [key: string]: Json } } {
  const inner = config.layer ?? config.cell
  return isObject(inner) && isObject(inner.config) ? innermost(String(inner.class_name), inner.config) : { kind, config }
}

const projections = ['query', 'key', 'gate', 'value', 'attention_output']

/** The projections of an attention, by the folders in which Keras 3 keeps them, and by their names. */
export const projectionOf = (folder: string): string | undefined =>
  projections.find(name => name === folder || `${name.replace('attention_', '')}_dense` === folder.replace(/^_/, ''))

/** Where in a layer's order the weights of a folder stand: an attention's as they are made, a wrapper's forward layer first. */
export const placeOf = (folder: string): number => {
  const place = projections.indexOf(projectionOf(folder) ?? '')
  return place < 0 && folder.startsWith('backward') ? 1 : place
}
