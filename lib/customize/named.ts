import type { LayersModel } from '@tensorflow/tfjs'
import { host } from '../host.ts'
import { isModel, leaves, type Layer } from './layers.ts'

declare const names: unique symbol

/** A model of whose layers TypeScript knows the names; else a plain `tf.LayersModel`, and taken wherever one is. */
export type NamedModel<N extends string> = LayersModel & { getLayer(name: N): Layer, readonly [names]?: N }

/** The names of a model's layers, as far as its type tells them; any text for a plain `tf.LayersModel`. */
export type NamesOf<M> = M extends { readonly [names]?: infer N } ? unknown extends N ? string : Extract<N, string> : string

/**
 * Lets a text pass of which TypeScript knows nothing (`for (const name of list)`), but no literal: those are compared with the
 * names.
 * The type parameter is inferred from the argument.
 */
export type Unknown<S extends string> = string extends S ? S : never

/** Which layer, by name, by index in `model.layers` (negative ones count from the end), or itself. */
export type At<N extends string = string> = N | number | Layer

/** More names than this would make each check of a cell slow. */
const most = 2000

/**
 * Tells the type checker of later cells the names of a model's layers, so that `freeze(model, '…')` completes them and a wrong
 * one is an error before the cell runs.
 */
export function tellNames<M extends LayersModel>(model: M): M {
  const all = [...new Set([...model.layers.filter(isModel), ...leaves(model)].map(({ name }) => name))]
  if (all.length <= most) host().typeOf(model, `import("graft").NamedModel<${all.map(name => JSON.stringify(name)).join(' | ')}>`)
  return model
}
