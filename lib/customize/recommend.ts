import type { ModifyOptions } from './modify.ts'
import type { Probe } from './probe.ts'
import type { Trial } from './trial.ts'

/** The three methods, as `customize` names them. */
export type Method = 'extract' | 'fineTune' | 'modify'

/** What was measured of a base and of images for it. */
export interface Findings {
  images: number
  classes: number
  /** Images of the class that has the fewest. */
  perClass: number
  /** What the trunk's features are worth. */
  probe: Probe
  /** The same with half of the images: whether more images would help. */
  half: Probe
  /** What earlier features are worth, averaged over the map, by their stride. */
  earlier: { stride: number, probe: Probe }[]
  /** What short trainings of the methods showed; null where they would have taken too long. */
  trials: Tried[] | null
  /**
   * How far the images are from those of the trunk's training, in units of the spread then; null where the trunk does not say.
   */
  distance: number | null
}

/** A method with its options, and how its short training went. */
export interface Tried extends Trial { method: Method, options: Recommendation['options'] }

/** A method, the options to call it with, and why, a sentence each. */
export interface Recommendation {
  method: Method
  options: Partial<ModifyOptions> & { unfreeze?: number }
  reasons: string[]
}

/**
 * What a method must gain to be worth its time: two points of accuracy, the difference by which this library's checks count a
 * method as as good as the best.
 */
const worth = 0.02

/** How much better a method must have done in the trials to be preferred to a simpler one: what no one would notice. */
const noticed = 0.005

/**
 * The method that did best when all were tried on a part of the images; of equals the simplest. Where trials would have taken too
 * long, by the probes alone: the simplest method that the measurements do not speak against. Nothing is decided by less than one
 * standard error, the rule by which Breiman et al., "Classification and regression trees" (1984), prefer the simpler of two
 * models.
 *
 * - Earlier layers tell the classes apart better than the last: the last are too special, as the domain is distant. Build on
 *   the earlier ones, frozen, on the deepest that are no worse than the last: those below have few channels, and a new
 *   convolution much to learn.
 * - Else, more images still help these features: fine-tuning would rather learn the few by heart. Extract.
 * - Else, these features are used up and something is left to gain: fine-tune.
 *
 * Measured with the bundled trunk (letters) and ridge probes. Digits: 95 % by the last features, 94 and 77 % by those of
 * strides 16 and 8 (distance 0.06). Textures: 68 %, 71 and 78 % (distance 0.44); right on the test images after ten epochs:
 * 70 % extracted, 71 % fine-tuned, and with a convolution at stride 16 81 %, at stride 8 66 %, on the last map 73 %. The rule
 * was shaped on these two sets and one trunk; the trials on them and on the bars, weaves and dice of `bench/advise/draw.ts`. Held
 * against ten other pairs of set and size (`bench/advise/run.ts check 1 --cpu`, one seed, the same trunk, processor time): within
 * two points of the best of the three in all, the time foretold within 30 % in all; docs/transfer-learning.md has the table.
 */
export function recommend(findings: Findings): Recommendation {
  const { probe, half, earlier, distance, perClass, trials } = findings
  if (trials) return byTrials(trials, findings)
  const best = [...earlier].sort((a, b) => b.probe.accuracy - a.probe.accuracy)[0]
  const reasons = far(distance)
  if (best && best.probe.accuracy - probe.accuracy > Math.max(error(best.probe, probe), worth)) {
    const deepest = earlier.filter(one => one.probe.accuracy >= probe.accuracy).sort((a, b) => b.stride - a.stride)[0]
    return { method: 'modify', options: { at: { stride: deepest.stride } }, reasons: [...reasons,
      `Features of stride ${best.stride} tell the classes apart better (${said(best.probe)}) than the trunk's last (${said(probe)}): the last ` +
      `layers are made for other images. Put a convolution of your own on the frozen ones below, at stride ${deepest.stride}.`] }
  }
  const left = 1 - probe.accuracy, climbs = probe.accuracy - half.accuracy > error(probe, half)
  const extraction = { method: 'extract' as const, options: {} }
  if (left <= worth) {
    return { ...extraction, reasons: [...reasons,
      `A linear classifier on the trunk's features is right for ${said(probe)} already: nothing is left that fine-tuning ` +
      'could gain.'] }
  }
  if (climbs) {
    return { ...extraction, reasons: [...reasons,
      `With ${perClass} images per class, more images still help (half of them: ${said(half)}, all: ${said(probe)}). ` +
      'A frozen trunk cannot learn the few by heart; fine-tuning can.'] }
  }
  return { method: 'fineTune', options: { unfreeze: 5 }, reasons: [...reasons,
    `More images no longer help a classifier on frozen features (half of them: ` +
    `${said(half)}, all: ${said(probe)}): what is left is for the trunk to learn. Its rate low: { trunk: 1e-4, head: 1e-3 }.`] }
}

/** The candidates stand from the simplest on. */
function byTrials(trials: Tried[], { distance, probe }: Findings): Recommendation {
  const best = trials.reduce((found, one) => one.accuracy > found.accuracy + noticed ? one : found)
  const results = trials.map(({ method, options: { at }, accuracy }) =>
    `${method}${typeof at === 'object' && 'stride' in at ? ` at stride ${at.stride}` : ''} ${(accuracy * 100).toFixed(0)} %`)
  const { images, learned } = best, error = Math.sqrt(best.accuracy * (1 - best.accuracy) / images)
  const reasons = [`Tried on ${learned} images and judged by others, ${images} in all (± ${(error * 100).toFixed(0)}): ${results.join(', ')}.`, ...far(distance)]
  const { method, options } = best
  if (method === 'extract') {
    reasons.push(probe.accuracy > 1 - worth ? 'Nothing is left that changing the trunk could gain.'
      : 'The trunk\'s own features serve as well as changed ones, and a frozen trunk cannot learn the few by heart.')
  } else if (method === 'fineTune') {
    reasons.push('The trunk\'s last layers have something to learn of these images. Their rate low: { trunk: 1e-4, head: 1e-3 }.')
  } else {
    reasons.push('What tells these classes apart lies in how parts stand to each other: a convolution on the map sees that before the pooling averages it away.')
  }
  return { method, options, reasons }
}

const far = (distance: number | null): string[] => distance === null ? []
  : [`Inside the trunk these images lie ${distance.toFixed(2)} spreads from those it was trained on ` +
    `(its own: about 0.02; letters to digits: 0.06; letters to textures: 0.44).`]

/** The standard error of the difference of two. */
const error = (a: Probe, b: Probe) => Math.hypot(a.error, b.error)

const said = ({ accuracy, error }: Probe) => `${(accuracy * 100).toFixed(0)} ± ${(error * 100).toFixed(0)} %`
