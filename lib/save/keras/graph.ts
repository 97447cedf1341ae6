import { GraftError } from '../../error.ts'
import type { Output } from './build.ts'
import { isObject, type Json } from './types.ts'

/** What a call's keyword arguments may be without changing what is computed here. */
const harmless: Record<string, Json[]> = { mask: [null], training: [null, false], initial_state: [null], constants: [null],
  query_mask: [null], value_mask: [null], key_mask: [null], attention_mask: [null], return_attention_scores: [false],
  use_causal_mask: [false] }

/**
 * Reads one entry of `inbound_nodes`, of Keras 2 (`[[name, node, tensor, kwargs], …]`) or Keras 3 (`{ args, kwargs }`).
 * `shift` tells by how much a layer's calls count from another start here (nested models); `passes` whether the layer
 * computes the same in training; `called` names the arguments of a layer that is called on several tensors one by one.
 */
export function readCall(
  layer: string, node: Json, shift: (layer: string) => number, passes = false, called: string[] = [],
): Output[] {
  const tensors: Output[] = []
  if (Array.isArray(node)) {
    for (const entry of node) {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string')
        throw new GraftError(`layer '${layer}' has a call that cannot be read: ${JSON.stringify(entry)}.`)
      const { named, rest } = byName(entry[3], called)
      checkArguments(layer, rest, passes)
      tensors.push([entry[0], Number(entry[1]), Number(entry[2])], ...named as Output[])
    }
  } else if (isObject(node) && Array.isArray(node.args)) {
    const { named, rest } = byName(node.kwargs, called)
    checkArguments(layer, rest, passes)
    for (const argument of [...node.args.flat(1), ...named]) {
      const history =
        isObject(argument) && argument.class_name === '__keras_tensor__' && isObject(argument.config)
          ? argument.config.keras_history
          : undefined
      if (!Array.isArray(history))
        throw new GraftError(
          `layer '${layer}' was called on ${JSON.stringify(argument)}, which is not another layer's output. ` +
            `Only calls on layers' outputs can be read.`,
        )
      tensors.push([String(history[0]), Number(history[1]), Number(history[2])])
    }
  } else {
    throw new GraftError(`layer '${layer}' has a call that cannot be read: ${JSON.stringify(node)}.`)
  }
  return tensors.map(([name, call, output]) => [name, call + shift(name), output])
}

/** The tensors among the arguments by name, in the order of the arguments, and what else there is. */
function byName(kwargs: Json | undefined, called: string[]): { named: Json[]; rest: Json } {
  const given = isObject(kwargs) ? kwargs : {}
  return {
    named: called.flatMap(key => (given[key] ?? null) === null ? [] : [given[key]]),
    rest: Object.fromEntries(Object.entries(given).filter(([key]) => !called.includes(key))),
  }
}

function checkArguments(layer: string, kwargs: Json | undefined, passes: boolean): void {
  for (const [key, value] of Object.entries(isObject(kwargs) ? kwargs : {})) {
    // What computes the same in training may be told that it trains.
    if (!(key in harmless && harmless[key].includes(value)) && !(passes && key === 'training')) {
      throw new GraftError(`layer '${layer}' was called with ${key}=${JSON.stringify(value)}, which cannot be kept here.`)
    }
  }
}

/** `input_layers` or `output_layers`: Keras 3 writes a single one flat. */
export function readEnds(value: Json, shift: (layer: string) => number): Output[] {
  if (isObject(value))
    throw new GraftError(
      `the model's inputs or outputs are named (${Object.keys(value).join(', ')}), which TensorFlow.js does not know. ` +
        `Build it with lists.`,
    )
  const list = Array.isArray(value) && typeof value[0] === 'string' ? [value] : value
  if (!Array.isArray(list)) throw new GraftError(`the model's inputs or outputs cannot be read: ${JSON.stringify(value)}.`)
  return list.map(entry => {
    if (!Array.isArray(entry)) throw new GraftError(`the model's inputs or outputs cannot be read: ${JSON.stringify(value)}.`)
    return [String(entry[0]), Number(entry[1]) + shift(String(entry[0])), Number(entry[2])]
  })
}
