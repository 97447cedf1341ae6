import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { leaves } from '../customize/layers.ts'
import { GraftError } from '../error.ts'
import type { Entry } from '../runs/tensors-file.ts'
import { tf } from '../tf.ts'
import { GroupedOptimizer } from './optimizers.ts'
import type { Snapshot } from './snapshot.ts'

type Weight = LayersModel['weights'][number]

/**
 * A name for each weight. Its place in front of the stroke is the same in any process; behind it is what TensorFlow.js calls it,
 * which may be numbered through all models that a process ever had.
 */
function names(model: LayersModel): Map<Weight, string> {
  const all = leaves(model).flatMap((layer, l) => layer.weights.map((weight, w): [Weight, string] =>
    [weight, `${l}.${w}/${layer.name}/${weight.originalName.split('/').at(-1)}`]))
  return new Map(all)
}

const placeIn = (name: string) => name.split('/', 1)[0]

/** Where the optimizer's own tensors stand among the entries. */
const slots = 'optimizer/'

/** What training goes on from: the weights, and what the optimizer remembers. */
export async function checkpointOf(model: LayersModel, weights: Snapshot, optimizer: Optimizer): Promise<Entry[]> {
  const known = names(model), variables = new Map([...known].map(([weight, name]) => [weight.name, name]))
  const entries = [...weights].map(([weight, { values, shape }]): Entry => ({ name: known.get(weight)!, shape, values }))
  for (const [i, { name, tensor }] of (await optimizer.getWeights()).entries()) {
    // The library's own call a slot after its variable; TensorFlow.js's go by their order.
    const at = name.lastIndexOf('/'), variable = variables.get(name.slice(0, at))
    const own = optimizer instanceof GroupedOptimizer && variable ? `${variable}#${name.slice(at + 1)}` : `${i}#${name}`
    entries.push({ name: slots + own, shape: tensor.shape, values: Float32Array.from(await tensor.data()) })
    if (name === 'iter') tensor.dispose()
  }
  return entries
}

/** The weights of a checkpoint, for this model. @throws GraftError where it is another model's */
export function weightsIn(entries: Entry[], model: LayersModel): Snapshot {
  const known = new Map([...names(model)].map(([weight, name]) => [placeIn(name), weight])), found: Snapshot = new Map()
  for (const { name, shape, values } of entries) {
    if (name.startsWith(slots)) continue
    const weight = known.get(placeIn(name))
    if (!weight || weight.shape.join() !== shape.join()) {
      throw new GraftError(`the checkpoint is another model's: it holds '${name.split('/').slice(1).join('/')}' of ` +
        `[${shape.join(', ')}], the model ${weight ? `one of [${weight.shape.join(', ')}]` : 'none'}.`)
    }
    found.set(weight, { values, shape })
  }
  return found
}

/** Gives the optimizer what it remembered when the checkpoint was written. */
export async function restoreOptimizer(entries: Entry[], model: LayersModel, optimizer: Optimizer): Promise<void> {
  const variables = new Map([...names(model)].map(([weight, name]) => [placeIn(name), weight.name]))
  const tensors = entries.filter(({ name }) => name.startsWith(slots)).map(({ name, shape, values }) => {
    const [owner, slot] = name.slice(slots.length).split(/#(?=[^#]*$)/), variable = variables.get(placeIn(owner))
    const own = variable ? `${variable}/${slot}` : slot
    return { name: own, tensor: own === 'iter' ? tf.scalar(values[0], 'int32') : tf.tensor(values, shape) }
  })
  await optimizer.setWeights(tensors)
  tf.dispose(tensors.map(({ tensor }) => tensor))
}
