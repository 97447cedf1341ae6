import { layerRules } from './layers.ts'
import { isObject, type Json, type KerasObject } from './types.ts'

/** Keras 3's names for what Keras 2 calls otherwise, by class. */
const renamed: Record<string, Record<string, string>> = {
  InputLayer: { batch_input_shape: 'batch_shape' },
  LeakyReLU: { alpha: 'negative_slope' },
}

/** A model's configuration, as {@link toKeras} gives it for Keras 3, in the form that a `.keras` archive holds. */
export function toArchive({ class_name, config, ...rest }: KerasObject): KerasObject {
  const written = class_name === 'graft>TensorFlowOp' ? kerasOperation(config) : undefined
  if (written) return { ...callOn(written, rest.inbound_nodes), name: config.name, config: { ...written.config, name: config.name } }
  if (class_name === 'Functional' || class_name === 'Sequential') {
    const module = class_name === 'Functional' ? 'keras.src.models.functional' : 'keras'
    const layers = (config.layers as KerasObject[]).map(toArchive)
    return {
      ...rest,
      module,
      class_name,
      config: { ...config, layers },
      registered_name: class_name === 'Functional' ? class_name : null,
    }
  }
  const names = renamed[class_name] ?? {}
  const translated = Object.fromEntries(
    Object.entries(config).map(([key, value]): [string, Json] => [
      names[key] ?? key,
      (key === 'layer' || key === 'cell') && isObject(value) ? toArchive(value as KerasObject) : value,
    ]),
  )
  const own = class_name.replace(/^graft>/, '')
  if (own === class_name) return { ...rest, module: 'keras.layers', class_name, config: translated, registered_name: null }
  const missing = layerRules.get(own)!.missing
  // Keras 3 looks into its own modules; others it takes from what was registered.
  return typeof missing === 'string' ? { ...rest, module: missing, class_name: own, config: translated, registered_name: own }
    : { ...rest, module: 'graft_layers', class_name: own, config: translated, registered_name: class_name }
}

/** The operation of Keras that a `TensorFlowOp` was read from. */
function kerasOperation(config: { [key: string]: Json }): KerasObject | undefined {
  const stored = isObject(config.operation) ? config.operation.name : undefined
  return (JSON.parse(String(stored ?? '{}')) as { keras?: KerasObject }).keras
}

/** The operation as it was written, called on the outputs that it is called on now. */
function callOn(written: KerasObject, nodes: Json | undefined): KerasObject {
  const [call] = (Array.isArray(nodes) ? nodes : []) as [string, number, number][][], outputs = [...call]
  const replace = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(replace)
    if (!isObject(value)) return value
    if (value.class_name !== '__keras_tensor__') return value
    return { ...value, config: { ...value.config as KerasObject, keras_history: outputs.shift()!.slice(0, 3) } }
  }
  const [node] = written.inbound_nodes as { args: Json }[]
  return { ...written, inbound_nodes: [{ ...node, args: replace(node.args) }] }
}
