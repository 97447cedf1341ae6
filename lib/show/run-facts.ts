import { bytes, count, duration, measure, percent, plural, rate } from './format.ts'
import { epochsDone, isRunning, ratesByGroup, type RunView } from './run-view.ts'

/** What a run is called and how far it is. */
export function headline(run: RunView): string {
  const done = epochsDone(run)
  const name = run.title ?? 'Training'
  if (isRunning(run)) return `${name}: ${run.paused ? 'paused in ' : ''}epoch ${Math.min(done + 1, run.epochs)} of ${run.epochs}`
  return run.stopped
    ? `${name}: ${run.stopped} after ${done} of ${plural(run.epochs, 'epoch')}`
    : `${name}: ${plural(done, 'epoch')}${run.seconds >= 0 ? ` in ${duration(run.seconds)}` : ''}`
}

/** How a run went so far, most wanted first. */
export function facts(run: RunView): string[] {
  const done = epochsDone(run)
  const at = (run.bestEpoch ?? done) - 1
  const { valAccuracy, valLoss, accuracy, loss } = run.history
  const best = valAccuracy ? `validation accuracy ${percent(valAccuracy[at])}`
    : valLoss ? `validation loss ${measure(valLoss[at])}`
    : accuracy ? `accuracy ${percent(accuracy[at])}`
    : `loss ${measure(loss[at])}`
  return [
    isRunning(run) && run.secondsLeft !== undefined && `${duration(run.secondsLeft)} left`,
    done > 0 && `best epoch ${at + 1}: ${best}`,
    done > 0 && run.seconds >= 0 && `${duration(run.seconds / done)} per epoch`,
    isRunning(run) && !done && run.forecast && `about ${duration(run.forecast.seconds)} in all, at most ${bytes(run.forecast.bytes)} at once`,
  ].filter(fact => typeof fact === 'string')
}

/** What a run was made with: the engine, its speed, what the frozen part did, the learning rate. */
export function circumstances(run: RunView): string[] {
  const speed = throughput(run), rates = ratesByGroup(run).map(one => `${one.name} ${rate(one.rate)}`.trim()).join(', ')
  return [
    run.engine,
    speed && `${count(speed)} images/s`,
    run.trunkForwards !== undefined && run.trunkForwards > 0 && `frozen trunk: ${plural(run.trunkForwards, 'image')}${once(run)}`,
    rates && `learning rate ${rates}`,
  ].filter(fact => typeof fact === 'string')
}

/** Training images per second, all that a run does beside learning included; 0 before the first step. */
function throughput({ images, batch, batchLosses, history, seconds }: RunView): number {
  if (!images || !(seconds > 0)) return 0
  return (images.train * history.loss.length + Math.min(images.train, (batch ?? 0) * (batchLosses?.length ?? 0))) / seconds
}


const once = (run: RunView) => (run.images && run.trunkForwards === run.images.train + run.images.validation ? ', each once' : '')

/** The run in a sentence or two, for those who do not see its plot. */
export function summary(run: RunView): string {
  const { loss, valLoss } = run.history
  if (!loss.length) return headline(run)
  const fell = `Training loss from ${measure(loss[0])} to ${measure(loss.at(-1))}`
  const judged = valLoss?.length ? `, validation loss from ${measure(valLoss[0])} to ${measure(valLoss.at(-1))}` : ''
  return `${headline(run)}. ${fell}${judged}. ${[...facts(run), ...circumstances(run)].join(', ')}.`
}

/** When layers that had waited began to learn. */
export function opened({ unfrozen }: RunView): string[] {
  if (!unfrozen) return []
  const { epoch, layers } = unfrozen
  return [`From epoch ${epoch} on ${plural(layers, 'layer')} of the trunk ${layers === 1 ? 'learns' : 'learn'} too.`]
}
