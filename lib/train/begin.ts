import { randomBytes } from 'node:crypto'
import type { LayersModel, Optimizer } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { leaves, type Layer } from '../customize/layers.ts'
import type { ImageSet } from '../data/set.ts'
import { engine } from '../engine/index.ts'
import { GraftError } from '../error.ts'
import { Best } from './best.ts'
import type { Control } from './control.ts'
import type { Goal } from './objective.ts'
import { GroupedOptimizer } from './optimizers.ts'
import { prepare, setRate, type Prepared } from './prepare.ts'
import { Run } from './run.ts'
import { factorOf, Lowering } from './schedules.ts'
import { openLayers } from './snapshot.ts'
import type { TrainOptions } from './train.ts'
import { watchedNames } from './watched.ts'

export interface Parts { train: ImageSet, validation: ImageSet | null }
/** Options with what they are where nothing was said. */
export type Settled = TrainOptions & { epochs: number, batch: number, seed: number }

/** What a run trains with, all of it checked before the first step. */
export interface Beginning extends Prepared {
  run: Run
  goal: Goal
  best: Best
  lowering: Lowering
  /** The layers that may change in this run. */
  open: Layer[]
  /** Those of the trunk among them that wait while the head learns alone. */
  waiting: Layer[]
  /** Sets the learning rates for a step. */
  setFactor(epoch: number, step: number): void
  /** Sets them again after the run lowered them, or another cell changed them. */
  applyRates(): void
  /** The learning rate now; of several the largest. */
  rate(): number
}

/** Makes everything ready. `former`: the run that goes on. Waits for nothing, so that the run is there when `train` returns. */
export function begin(model: LayersModel, parts: Parts, options: Settled, control: Control, former?: Run): Beginning {
  const { train, validation } = parts, { epochs, batch } = options
  const prepared = prepare(model, train, options), { optimizer, goal } = prepared
  const measures = [...goal.names.flatMap(name => validation ? [name, `val${name[0].toUpperCase()}${name.slice(1)}`] : [name]),
    ...watchedNames(options.watch ?? {})]
  const best = new Best(options.earlyStopping, validation !== null, measures)
  const lowering = new Lowering(options.schedule, validation !== null, measures), perEpoch = Math.ceil(train.length / batch)
  const factor = factorOf(options.schedule ?? 'constant',
    { steps: epochs * perEpoch, perEpoch, warmup: Math.round((options.warmup ?? 0) * perEpoch) })
  const waiting = trunkThatWaits(model, options.frozenEpochs ?? 0, epochs)
  const run = former ?? newRun(model, parts, options, prepared)
  if (former) Object.assign(former, { epochs, stopped: null, finished: false })
  let step = 0
  const applyRates = () => { if (optimizer instanceof GroupedOptimizer) optimizer.factor = factor(step) * lowering.factor }
  control.run = run
  control.changeRate = rate => {
    const words = JSON.stringify(run.learningRate)
    setRate(model, optimizer, rate)
    run.notes.push(`Epoch ${run.history.loss.length + 1}: the learning rate was set from ${words} to ${JSON.stringify(rate)}.`)
    run.learningRate = rate
  }
  return {
    ...prepared, run, best, lowering, waiting, open: openLayers(model), applyRates,
    setFactor(epoch, within) {
      step = epoch * perEpoch + within
      applyRates()
    },
    rate: () => highest(run.learningRate) * (optimizer instanceof GroupedOptimizer ? optimizer.factor : 1),
  }
}

const highest = (rate: Run['learningRate']) => typeof rate === 'number' ? rate
  : Math.max(...Object.entries(rate).filter(([name]) => name !== 'decay').map(([, value]) => value!))

function newRun(
  model: LayersModel, { train, validation }: Parts, options: Settled, { goal, optimizer, learningRate }: Prepared,
): Run {
  const count = (weights: LayersModel['weights']) => weights.reduce((n, weight) => n + weight.read().size, 0)
  // The job of a sweep names the run it makes by its parameters.
  const title = options.title ?? process.env.GRAFT_RUN_TITLE
  return new Run(randomBytes(4).toString('hex'), {
    epochs: options.epochs, batch: options.batch, seed: options.seed, learningRate, loss: goal.name, engine: engine().name,
    optimizer: nameOf(optimizer), images: { train: train.length, validation: validation?.length ?? 0 },
    weights: { trainable: count(model.trainableWeights), total: count(model.weights) },
    ...title !== undefined && { title },
  })
}

const nameOf = (optimizer: Optimizer) => optimizer instanceof GroupedOptimizer ? optimizer.kind : optimizer.getClassName()

/** The layers of the trunk that are open, but wait while the head learns alone. */
function trunkThatWaits(model: LayersModel, frozenEpochs: number, epochs: number): Layer[] {
  if (!frozenEpochs) return []
  if (!Number.isInteger(frozenEpochs) || frozenEpochs < 0 || frozenEpochs >= epochs) {
    throw new GraftError(`frozenEpochs must be a whole number below epochs (${epochs}); received ${frozenEpochs}.`)
  }
  const trunk = new Set(cardOf(model)?.trunk)
  const open = leaves(model).filter(layer => trunk.has(layer.name) && layer.trainableWeights.length)
  if (!open.length) {
    throw new GraftError("frozenEpochs: nothing of the trunk is open. unfreeze(model, 'last 5') lets some of it learn.")
  }
  return open
}
