import { randomBytes } from 'node:crypto'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf } from '../card.ts'
import { leaves, type Layer } from '../customize/layers.ts'
import { randomFrom, seedFrom, shuffled } from '../data/random.ts'
import type { ImageSet } from '../data/set.ts'
import { engine } from '../engine/index.ts'
import { GraftError } from '../error.ts'
import { Best } from './best.ts'
import { Feeder } from './features.ts'
import { GroupedOptimizer } from './optimizers.ts'
import { learn, measure, type Watch } from './pass.ts'
import { borrowPrefix } from './prefixes.ts'
import { compile, prepare, type Prepared } from './prepare.ts'
import { fingerprint } from './proof.ts'
import { Reporter } from './report.ts'
import { Run, setRun, type StopReason } from './run.ts'
import { factorOf } from './schedules.ts'
import { isSound, restore, snapshot } from './snapshot.ts'
import type { TrainOptions } from './train.ts'

/** Why the run shall end; set from outside, looked at after each step. */
export interface Control { reason: StopReason | null }

interface Parts { train: ImageSet, validation: ImageSet | null }
type Settled = TrainOptions & { epochs: number, batch: number, seed: number }

/** All epochs of a run: each learns, measures, and is kept if it is sound. */
export async function loop(model: LayersModel, { train, validation }: Parts, options: Settled, control: Control): Promise<Run> {
  const { epochs, batch, seed } = options
  const prepared = prepare(model, train, options), { objective, judged, optimizer } = prepared
  const names = ['loss', ...Object.keys(objective.metrics)]
  const best = new Best(options.earlyStopping, validation !== null, names)
  const steps = Math.ceil(train.length / batch)
  const factor = factorOf(options.schedule ?? 'constant', epochs * steps, (options.warmup ?? 0) * steps)
  const waiting = trunkThatWaits(model, options.frozenEpochs ?? 0, epochs)
  const before = await fingerprint(model)
  const run = newRun(model, { train, validation }, options, prepared)
  for (const layer of waiting) layer.trainable = false
  let source = feed(model)
  const stopped = () => control.reason !== null, started = performance.now()
  const unseen = source.feeder.unseen(train) + (validation ? source.feeder.unseen(validation) : 0)
  const reporter = new Reporter(run, options.show ?? true, unseen)
  source.feeder.onForward = count => reporter.forward(count)
  run.engine = [engine().name, source.prefix?.engine].filter(Boolean).join(' + ')
  let forwardsBefore = 0, good = await snapshot(model)
  const tick = () => {
    run.seconds = (performance.now() - started) / 1000
    run.trunkForwards = forwardsBefore + source.feeder.forwards
  }
  const watch: Watch = {
    stopped,
    batch([loss]) {
      run.batchLosses.push(loss)
      if (!Number.isFinite(loss)) control.reason ??= 'not a number'
      tick()
      reporter.draw()
    },
  }
  try {
    for (let epoch = 0; epoch < epochs && !stopped(); epoch++) {
      if (waiting.length && epoch === options.frozenEpochs) {
        for (const layer of waiting) layer.trainable = true
        forwardsBefore += source.feeder.forwards
        await source.release()
        source = feed(model)
      }
      run.batchLosses = []
      const all = Array.from(train.labels.keys())
      const order = options.shuffle === false ? all : shuffled(all, randomFrom(seed, 'order', epoch))
      const learned = await learn(source.feeder, objective, optimizer, train, order, batch, step => {
        if (optimizer instanceof GroupedOptimizer) optimizer.factor = factor(epoch * steps + step)
        return seedFrom(seed, 'step', epoch, step)
      }, watch)
      const weights = await snapshot(model)
      if (!isSound(weights)) control.reason ??= 'not a number'
      if (stopped()) break
      const tested = validation && await measure(source.feeder, judged, validation, batch, { stopped })
      if (stopped()) break
      names.forEach((name, i) => {
        (run.history[name] ??= []).push(learned[i])
        if (tested) (run.history[`val${name[0].toUpperCase()}${name.slice(1)}`] ??= []).push(tested[i])
      })
      good = weights
      if (best.add(run.history, weights)) control.reason = 'ended early'
      if (options.checkpoint && best.epoch === epoch + 1) await keepOnDisk(model, options.checkpoint, run)
      tick()
      reporter.epoch()
    }
    run.stopped = control.reason
    // Its momenta are not numbers either, and would spoil the next run.
    if (run.stopped === 'not a number' && optimizer instanceof GroupedOptimizer) optimizer.reset()
    conclude(run, best, good, options)
    for (const layer of waiting) layer.trainable = true
    const after = await fingerprint(model)
    run.frozen = { ...before, unchanged: after.hash === before.hash }
  } finally {
    for (const layer of waiting) layer.trainable = true
    if (waiting.length) compile(model, optimizer, model.loss as string, objective)
    if (optimizer instanceof GroupedOptimizer) optimizer.factor = 1
    await source.release()
    run.finished = true
    tick()
    setRun(model, run.toJSON())
    reporter.end()
  }
  return run
}

function feed(model: LayersModel) {
  const { prefix, release } = borrowPrefix(model)
  return { feeder: new Feeder(model, prefix), prefix, release }
}

function newRun(model: LayersModel, { train, validation }: Parts, options: Settled, prepared: Prepared): Run {
  const { objective, optimizer, learningRate } = prepared
  const count = (weights: LayersModel['weights']) => weights.reduce((n, weight) => n + weight.read().size, 0)
  return new Run(randomBytes(4).toString('hex'), {
    epochs: options.epochs, batch: options.batch, seed: options.seed, learningRate, loss: objective.name, engine: engine().name,
    optimizer: optimizer instanceof GroupedOptimizer ? optimizer.kind : optimizer.getClassName(),
    images: { train: train.length, validation: validation?.length ?? 0 },
    weights: { trainable: count(model.trainableWeights), total: count(model.weights) },
  })
}

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

/** Which weights stay, and what to say of it. */
function conclude(run: Run, best: Best, good: Parameters<typeof restore>[0], { keep, earlyStopping }: TrainOptions): void {
  if (run.stopped === 'not a number') {
    restore(good)
    run.notes.push(`The loss is not a number in epoch ${run.history.loss.length + 1}: the weights of the last good epoch are ` +
      `back. Try a lower learning rate than ${JSON.stringify(run.learningRate)}, and check the pixel range.`)
  }
  if ((keep ?? (earlyStopping === undefined ? 'last' : 'best')) === 'best' && best.weights) {
    restore(best.weights)
    run.notes.push(`The weights are those of epoch ${best.epoch}, the best.`)
  }
}

/** Saves the model; a disk that fails ends no training. */
async function keepOnDisk(model: LayersModel, file: string, run: Run): Promise<void> {
  const { save } = await import('../save/index.ts')
  try {
    await save(model, file)
  } catch (error) {
    run.notes.push(`Epoch ${run.history.loss.length} is not on disk: ${(error as Error).message}`)
  }
}
