import type { LayersModel } from '@tensorflow/tfjs'
import { randomFrom, seedFrom, shuffled } from '../data/random.ts'
import { engine } from '../engine/index.ts'
import { refuseSlow } from '../engine/slow.ts'
import type { Standing } from '../runs/record.ts'
import type { Entry } from '../runs/tensors-file.ts'
import { begin, type Beginning, type Parts, type Settled } from './begin.ts'
import type { TrainingData } from './checks.ts'
import { checkpointOf, restoreOptimizer, weightsIn } from './checkpoint.ts'
import type { Control } from './control.ts'
import { Feeder } from './features.ts'
import { Forecaster } from './forecaster.ts'
import { Keeper } from './keeper.ts'
import { GroupedOptimizer } from './optimizers.ts'
import { mostAtOnce } from './parts.ts'
import { learn, measure, type Watch } from './pass.ts'
import { borrowPrefix } from './prefixes.ts'
import { compile } from './prepare.ts'
import { fingerprint } from './proof.ts'
import { Reporter } from './report.ts'
import { setRun, type Run } from './run.ts'
import { Secured } from './secured.ts'
import { isSound, moved, restore, snapshot, type Snapshot } from './snapshot.ts'
import type { TrainOptions } from './train.ts'
import { Variants } from './variants.ts'
import { overfitting } from './warnings.ts'
import { Watched } from './watched.ts'
import { forgetFunctions, reasonAgainstOneFunction } from './written.ts'

/** What a run goes on from. */
export interface Resumption { run: Run, last: Entry[], best: Entry[] | null, standing: Standing }

/** All epochs of a run: each learns, measures, and is kept if it is sound. */
export async function loop(model: LayersModel, parts: Parts, options: Settled & { data: TrainingData },
  control: Control, from?: Resumption): Promise<Run> {
  const { train, validation } = parts, { epochs, batch, seed } = options
  const start = begin(model, parts, options, control, from?.run)
  const { run, goal, judged, optimizer, best, lowering, open, waiting } = start
  const names = goal.names, before = await fingerprint(model), first = run.history.loss.length
  if (from) await goOn(model, start, from)
  const watched = await Watched.begin(options.watch ?? {}, run)
  const keeper = Keeper.begin(model, parts, options, run, before.hash, from?.standing)
  const holdBack = () => {
    const done = run.history.loss.length, learns = done >= (options.frozenEpochs ?? 0)
    for (const layer of waiting) layer.trainable = learns
    if (learns && waiting.length) run.unfrozen ??= { epoch: done + 1, layers: waiting.length }
  }
  holdBack()
  let source = feed(model)
  const started = performance.now() - run.seconds * 1000
  let rested = 0, forwardsBefore = run.trunkForwards
  const variants = Variants.of(train, source.prefix !== null)
  const unseen = variants.unseen(source.feeder, first, epochs) + (validation ? source.feeder.unseen(validation) : 0)
  const reporter = new Reporter(run, options.show ?? true, unseen, control)
  source.feeder.onForward = count => reporter.forward(count)
  run.engine = [engine().name, source.prefix?.engine].filter(Boolean).join(' + ')
  const initial: Snapshot = await snapshot(open)
  let good = initial, secured = await Secured.now(optimizer)
  const tick = () => {
    run.seconds = (performance.now() - started - rested) / 1000
    run.trunkForwards = forwardsBefore + source.feeder.forwards
  }
  const forecaster = new Forecaster(run, { unseen, first })
  const watch: Watch = {
    stopped: control.ended,
    around: forecaster.around,
    batch([loss]) {
      run.batchLosses.push(loss)
      if (!Number.isFinite(loss)) control.end('not a number')
      tick()
      forecaster.batch()
      reporter.step()
    },
    async rest() { rested += await control.rest() },
  }
  const orderOf = (epoch: number) => {
    const all = Array.from(train.labels.keys())
    return options.shuffle === false ? all : shuffled(all, randomFrom(seed, 'order', epoch))
  }
  try {
    refuseSlow(source.feeder.rest.layers)
    if (!control.ended()) {
      await forecaster.begin(source.feeder, goal, optimizer, variants.at(first), orderOf(first).slice(0, batch), control.ended)
      reporter.draw()
    }
    for (let epoch = first; epoch < epochs && !control.ended(); epoch++) {
      if (waiting.length && epoch === options.frozenEpochs && epoch > first) {
        holdBack()
        forwardsBefore += source.feeder.forwards
        await source.release()
        source = feed(model)
      }
      run.batchLosses = []
      const learned = await learn(source.feeder, goal, optimizer, variants.at(epoch), orderOf(epoch), batch, step => {
        start.setFactor(epoch, step)
        return seedFrom(seed, 'step', epoch, step)
      }, watch).then(async means => {
        secured = await Secured.now(optimizer)
        return means
      }).catch(error => secured.bringsBack(error))
      if (!learned) {
        run.notes.push(`Epoch ${epoch-- + 1} was begun anew: the graphics card was lost, and is started again.`)
        continue
      }
      const weights = await snapshot(open)
      if (!isSound(weights)) control.end('not a number')
      if (control.ended()) break
      const tested = validation && await secured.again(() => measure(source.feeder, judged, validation, batch, { ...watch, batch: undefined }))
      const old = await secured.again(() => watched.measure(batch, control.ended))
      if (control.ended()) break
      record(run, names, goal.read(learned), tested && goal.read(tested), old)
      run.rates.push(start.rate())
      run.times.push(Date.now() / 1000)
      run.batchLosses = []
      tick()
      good = weights
      if (lowering.add(run.history, start.rate())) {
        start.applyRates()
        run.notes.push(`Epoch ${epoch + 1}: no better any more, the learning rate is lowered to ${short(start.rate())}.`)
      }
      if (best.add(run.history, weights)) control.end('ended early')
      if (options.checkpoint && best.epoch === epoch + 1) await keepOnDisk(model, options.checkpoint, run)
      reporter.say(overfitting(run), watched.warning(run))
      await keeper.epoch({ last: epoch + 1, best: best.epoch, state: { best: best.state, lowering: lowering.state } },
        () => checkpointOf(model, weights, optimizer))
      reporter.epoch()
    }
    run.stopped = control.reason
    // Its momenta are not numbers either, and would spoil the next run.
    if (run.stopped === 'not a number' && optimizer instanceof GroupedOptimizer) optimizer.reset()
    else if (optimizer instanceof GroupedOptimizer && optimizer.settings.emaMomentum) {
      optimizer.average()
      run.notes.push('The weights are the running means over the steps, as emaMomentum asks.')
    }
    const reason = reasonAgainstOneFunction(source.feeder)
    if (reason) run.notes.push(`Each step ran operation by operation, not as one function, since ${reason}.`)
    const most = mostAtOnce(source.feeder)
    if (most) run.notes.push(`Each step took at most ${most} images at once, for ${batch} are more than the memory holds.`)
    conclude(run, best, good, options)
    run.moved = moved(open, initial, await snapshot(open))
    for (const layer of waiting) layer.trainable = true
    const after = await fingerprint(model)
    run.frozen = { ...before, unchanged: after.hash === before.hash }
  } catch (error) {
    run.stopped = 'lost'
    throw error
  } finally {
    for (const layer of waiting) layer.trainable = true
    if (waiting.length) compile(model, optimizer, model.loss as string, goal)
    if (optimizer instanceof GroupedOptimizer) optimizer.factor = 1
    await source.release()
    run.finished = true
    tick()
    setRun(model, run.toJSON())
    keeper.end()
    reporter.end()
  }
  return run
}

/** Puts weights, optimizer and memory back to where the run's last whole epoch ended. */
async function goOn(model: LayersModel, { optimizer, best, lowering, applyRates }: Beginning, from: Resumption): Promise<void> {
  restore(weightsIn(from.last, model))
  await restoreOptimizer(from.last, model, optimizer)
  best.restore(from.standing.state.best, from.best && weightsIn(from.best, model))
  lowering.restore(from.standing.state.lowering)
  applyRates()
}

function feed(model: LayersModel) {
  const { prefix, release } = borrowPrefix(model), feeder = new Feeder(model, prefix)
  return {
    feeder, prefix,
    release() {
      forgetFunctions(feeder)
      return release()
    },
  }
}

function record(run: Run, names: string[], learned: number[], tested: number[] | null, old: Record<string, number>): void {
  const add = (name: string, value: number) => { (run.history[name] ??= []).push(value) }
  names.forEach((name, i) => {
    add(name, learned[i])
    if (tested) add(`val${name[0].toUpperCase()}${name.slice(1)}`, tested[i])
  })
  for (const [name, value] of Object.entries(old)) add(name, value)
}

const short = (rate: number) => String(parseFloat(rate.toPrecision(4)))

/** Which weights stay, and what to say of it. */
function conclude(run: Run, best: Beginning['best'], good: Snapshot, { keep, earlyStopping }: TrainOptions): void {
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
