/** JSON as it comes from a file. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A serialized Keras object; Keras 3 adds `module` and `registered_name`. */
export interface KerasObject {
  class_name: string
  config: { [key: string]: Json }
  [more: string]: Json
}

/** A layer in a Functional model; `inbound_nodes` tells which tensors it was called on, once per call. */
export interface KerasLayer extends KerasObject {
  name: string
  inbound_nodes: Json[]
}

/** In whose manner a file is written: what some values mean depends on it. TensorFlow.js writes as Keras 2 does. */
export type Writer = 'keras3' | 'keras2'

/** Whether a value is a JSON object (not an array, not null). */
export const isObject = (value: unknown): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
