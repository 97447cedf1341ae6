import { join } from 'node:path'
import type * as tfTypes from '@tensorflow/tfjs'
import { GraftError } from '../error.ts'
import { Checkpoint } from '../hub/checkpoint.ts'
import { readSavedModel, type SavedModel, writerMark } from '../hub/saved-model.ts'
import { tf } from '../tf.ts'
import { bind, type BoundGraph } from './bind.ts'
import { type Callable, chooseCallable } from './callable.ts'
import { type LiftReport, Lifting } from './lifting.ts'
import { opaque, opaqueGraph } from './opaque.ts'
import { patterns, rules } from './rules/index.ts'
import { noTraining } from './training.ts'

export type { LiftReport } from './lifting.ts'

/** A lifted model and what was met on the way. */
export interface Lifted {
  model: tfTypes.LayersModel
  report: LiftReport & {
    /** How the SavedModel was written: `tf_keras`, `keras3`, `slim` (a v1 graph wrapped for TF2), `tf1`, or `graft`. */
    layout: string
    /** The callable that was lifted. */
    callable: string
    /** The version of TensorFlow that wrote the model. */
    version: string
    layers: number
    parameters: number
  }
}

/**
 * Opens the SavedModel in `folder` as a plain layers model: its graph becomes named layers with the checkpoint's weights.
 * Operations that no Keras layer stands for become layers of one operation each, listed in the report; a graph that cannot be
 * taken apart becomes one layer. Throws a GraftError for a folder that holds no SavedModel, damaged files, an unknown
 * `signature`, or an operation that cannot be run.
 *
 * @example
 * const { model, report } = await lift('./mobilenet_v2')
 * console.log(report.layout, model.layers.length)
 */
export async function lift(folder: string, options: LiftOptions = {}): Promise<Lifted> {
  const saved = await readSavedModel(folder)
  chooseCallable(saved, options.signature)
  const checkpoint = await Checkpoint.open(join(folder, 'variables', 'variables'))
  return await liftGraph(saved, checkpoint, options)
}

export interface LiftOptions { signature?: string, name?: string }

/** Lifts a graph that was read; its variables lie in `checkpoint`, which is closed in the end, or are constants of the graph. */
export async function liftGraph(
  saved: SavedModel,
  checkpoint: Checkpoint | null,
  { signature, name }: LiftOptions = {},
): Promise<Lifted> {
  const { folder } = saved
  try {
    const callable = chooseCallable(saved, signature), graph = async () => {
      const bound = await bind(saved, callable, checkpoint)
      for (const node of bound.variables) node.constants = [await checkpoint!.read(node.variable!.key)]
      return bound
    }
    const apart = await graph()
    try {
      return orNothing(() => build(saved, callable, apart, lifting => lifting.run(patterns, rules, opaque), name))
    } catch (error) {
      // Bound anew, since opening it changed it.
      const bound = await graph(), values = bound.outputs.map(({ value }) => value)
      const whole = (lifting: Lifting) => {
        lifting.foldConstants()
        opaqueGraph({ node: bound.input, index: 0 }, values, lifting)
      }
      try {
        return orNothing(() => build(saved, callable, { ...bound, training: noTraining }, whole, name))
      } catch {
        throw error
      }
    }
  } catch (error) {
    if (error instanceof GraftError || (error as Error).name === 'AbortError') throw error
    // A reader that met nothing where the format has something.
    const reason = error instanceof TypeError ? 'something that its graph needs is missing' : (error as Error).message
    throw new GraftError(`'${folder}' cannot be opened as layers: ${reason}. It is damaged or no image model; `
      + 'load it anew, or open an intact copy with hub.load(\'./folder\').', { cause: error })
  } finally {
    await checkpoint?.close()
  }
}

/** Does `work` and gives its result; where it fails, nothing of it is left in the engine. */
function orNothing<T>(work: () => T): T {
  const { registeredVariables } = tf.engine().state, before = new Set(Object.keys(registeredVariables))
  let result: { value: T } | undefined
  try {
    tf.tidy(() => { result = { value: work() } })
  } finally {
    if (!result) for (const [name, variable] of Object.entries(registeredVariables)) if (!before.has(name)) variable.dispose()
  }
  return result!.value
}

function build(
  saved: SavedModel,
  callable: Callable,
  graph: BoundGraph,
  open: (lifting: Lifting) => void,
  name?: string,
): Lifted {
  const layout = layoutOf(saved), lifting = new Lifting(graph, layout)
  open(lifting)
  const outputs = graph.outputs.map(({ value }) => lifting.tensor(value))
  const model = tf.model({
    inputs: lifting.input,
    outputs: outputs.length === 1 ? outputs[0] : outputs,
    ...(name ? { name } : {}),
  })
  const report = {
    ...lifting.report,
    layout,
    callable: callable.name,
    version: saved.version,
    layers: model.layers.length,
    parameters: model.countParams(),
  }
  return { model, report }
}

function layoutOf(saved: SavedModel): string {
  if (!saved.objects.length) return 'tf1'
  if (saved.objects[0].metadata === writerMark) return 'graft'
  if (saved.objects.some(object => object.identifier?.startsWith('_tf_keras'))) return 'tf_keras'
  if (saved.objects[0].children.has('_misc_assets') || saved.objects[0].children.has('_all_variables')) return 'keras3'
  return 'slim'
}
