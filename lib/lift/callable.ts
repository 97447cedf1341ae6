import { didYouMean, GraftError } from '../error.ts'
import type { ConcreteFunction, SavedModel, SavedObject } from '../hub/saved-model.ts'
import { type Structure, TensorSpec, tensorSpecs } from '../hub/structure.ts'
import { dataType, readShape } from '../hub/tensor.ts'

/** What will be lifted: a trace, or a TF1 signature of the main graph. */
export interface Callable {
  /** What the user may call it: `__call__`, `serving_default`, … */
  name: string
  /** The images, then tensors that have a default. */
  inputs: CallableInput[]
  /** TF2. */
  concrete?: ConcreteFunction
  /** TF1: tensors of the main graph. */
  outputs?: { name: string, tensor: string }[]
  /** The same callable traced for training, where there is one. */
  training?: { concrete: ConcreteFunction, inputs: CallableInput[] }
}
export interface CallableInput {
  name: string
  dtype: string
  shape: number[] | null
  /** Its value where the Python function has a default for it, e.g. `batch_norm_momentum`. */
  value?: number
  /** TF1: the tensor of the main graph. */
  tensor?: string
}

/**
 * Chooses what to lift. Without `signature` that is `__call__` (`serve` in Keras 3's exports) traced for inference, its other
 * Python arguments at their defaults; else the signature of that name. Throws a GraftError that lists the names there are.
 */
export function chooseCallable(model: SavedModel, signature?: string): Callable {
  const names = callables(model)
  if (!model.objects.length) return chooseTf1(model, signature)
  if (signature && !names.has(signature)) throw unknown(signature, names.keys())
  const order = signature ? [signature] : ['__call__', 'call', 'serve', 'serving_default', ...names.keys()]
  for (const name of order) {
    const object = names.get(name)
    const found = object && fromObject(model, name, object)
    if (found) return found
  }
  throw new GraftError(
    `'${model.folder}' has no function from one image tensor to features. ` +
      `It offers: ${[...names.keys()].join(', ') || 'none'}. ` +
      'Expected a TensorFlow Hub image model; choose a signature with hub.load(handle, { signature: … }).',
  )
}

function callables(model: SavedModel): Map<string, SavedObject> {
  const found = new Map<string, SavedObject>(), root = model.objects[0]
  for (const [name, id] of root?.children ?? []) {
    const object = model.objects[id]
    if (object?.concrete) found.set(name, object)
    if (name !== 'signatures' || !object) continue
    for (const [key, child] of object.children)
      if (model.objects[child]?.concrete && !found.has(key)) found.set(key, model.objects[child])
  }
  for (const hidden of ['_default_save_signature', 'call_and_return_all_conditional_losses']) found.delete(hidden)
  return found
}

const unknown = (name: string, names: Iterable<string>): GraftError => {
  const known = [...names]
  return new GraftError(
    `unknown signature: '${name}'. The model has ${known.map(n => `'${n}'`).join(', ') || 'none'}.${didYouMean(name, known)}`,
  )
}

function fromObject(model: SavedModel, name: string, object: SavedObject): Callable | null {
  const traces = object.concrete!.map(fn => model.concrete.get(fn)).filter(fn => fn !== undefined)
  const candidates = traces.map(trace => ({ trace, ...bindArguments(trace, object.argspec) })).filter(c => c.images === 1)
  const plainest = (training: boolean) =>
    candidates
      .filter(c => c.training === training)
      .sort((a, b) => a.others - b.others || a.inputs.length - b.inputs.length)
      .map(({ trace, inputs }) => ({ concrete: trace, inputs }))[0]
  const inference = plainest(false)
  return inference ? { name, ...inference, training: plainest(true) } : null
}

/**
 * Which of a trace's tensors is the image batch, which have defaults, and how many of its Python arguments differ from their
 * defaults.
 */
function bindArguments(trace: ConcreteFunction, argspec: Structure | undefined) {
  const defaults = defaultsOf(argspec), inputs: CallableInput[] = []
  const [args, kwargs] = Array.isArray(trace.input) && Array.isArray(trace.input[0]) ? trace.input : [[], {}]
  const names = argumentNames(argspec)
  let images = 0, others = 0, training = false
  const visit = (name: string, value: Structure, fallback: Structure | undefined) => {
    const specs = tensorSpecs(value, value instanceof TensorSpec ? '' : name)
    for (const { spec, path } of specs) {
      const input: CallableInput = { name: spec.name || path, dtype: dataType(spec.dtype), shape: spec.shape }
      if (spec.shape?.length === 0)
        input.value = name === 'training' ? 0 : typeof fallback === 'number' ? fallback : Number(fallback ?? 0)
      else images++
      inputs.push(input)
    }
    if (specs.length) return
    if (name === 'training') training = value === true
    else if (value !== (fallback ?? null)) others++
  }
  ;(args as Structure[]).forEach((value, i) => visit(names[i] ?? `args_${i}`, value, defaults.get(names[i])))
  for (const [name, value] of Object.entries((kwargs ?? {}) as Record<string, Structure>).sort(([a], [b]) => a < b ? -1 : 1)) {
    visit(name, value, defaults.get(name))
  }
  return { inputs, images, others, training }
}

const listOf = (value: Structure | undefined, key: string): Structure[] => {
  const list = value && typeof value === 'object' && !Array.isArray(value) && !(value instanceof TensorSpec) ? value[key] : null
  return Array.isArray(list) ? list : []
}

const argumentNames = (argspec: Structure | undefined): string[] =>
  listOf(argspec, 'args')
    .map(String)
    .filter(name => name !== 'self')

function defaultsOf(argspec: Structure | undefined): Map<string, Structure> {
  const names = argumentNames(argspec), values = listOf(argspec, 'defaults')
  const out = new Map(values.map((value, i) => [names[names.length - values.length + i], value]))
  const keywords =
    argspec && typeof argspec === 'object' && !Array.isArray(argspec) && !(argspec instanceof TensorSpec)
      ? argspec.kwonlydefaults
      : null
  for (const [name, value] of Object.entries(keywords ?? {})) out.set(name, value as Structure)
  return out
}

function chooseTf1(model: SavedModel, signature?: string): Callable {
  const names = [...model.signatures.keys()].filter(name => !name.startsWith('__saved_model'))
  if (signature && !names.includes(signature)) throw unknown(signature, names)
  const name = signature ?? ['default', 'serving_default'].find(n => names.includes(n)) ?? names[0]
  const found = name === undefined ? undefined : model.signatures.get(name)
  if (!found)
    throw new GraftError(`'${model.folder}' has no signature. Expected a TensorFlow Hub image model with signature 'default'.`)
  return {
    name: name!,
    inputs: [...found.inputs].map(([key, info]) => ({
      name: key,
      dtype: dataType(info.dtype),
      shape: readShape(info.shape),
      tensor: info.name,
    })),
    outputs: [...found.outputs]
      .filter(([key]) => found.outputs.size === 1 || !found.outputs.has('default') || key === 'default')
      .map(([key, info]) => ({ name: key, tensor: info.name })),
  }
}
