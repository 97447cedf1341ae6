import { inspect } from 'node:util'
import type { Bitmap } from '../data/resize.ts'
import { displaySymbol, type MimeBundle } from '../host.ts'

/** How sure a model is of one class. */
export interface Score { label: string, probability: number }

/** What a model says of one image. It shows itself: the image and its most likely classes. */
export class Prediction {
  /** The most likely class. */
  readonly label: string
  /** Its probability, 0 to 1. */
  readonly confidence: number
  /** Every class with its probability, the most likely first. */
  readonly scores: Score[]
  /** The image's file or address; empty where it came as bytes. */
  readonly file: string
  /** The true class, where it is known. */
  readonly truth: string | null
  readonly #picture: () => Promise<Bitmap>

  constructor(scores: Score[], file: string, truth: string | null, picture: () => Promise<Bitmap>) {
    this.scores = scores.toSorted((a, b) => b.probability - a.probability)
    this.label = this.scores[0].label
    this.confidence = this.scores[0].probability
    this.file = file
    this.truth = truth
    this.#picture = picture
  }

  /** The image as the model saw it, in 8 bits. */
  picture(): Promise<Bitmap> {
    return this.#picture()
  }

  [displaySymbol](): Promise<MimeBundle> {
    return import('../show/prediction.ts').then(({ predictionBundle }) => predictionBundle(this))
  }

  [inspect.custom](): string {
    const rest = this.scores.slice(1, 3).map(({ label, probability }) => `${label} ${(probability * 100).toFixed(1)} %`)
    const truth = this.truth === null ? '' : this.truth === this.label ? ', right' : `, wrong: it is ${this.truth}`
    return `${this.file ? `${this.file}: ` : ''}${this.label} ${(this.confidence * 100).toFixed(1)} %` +
      `${rest.length ? ` (then ${rest.join(', ')})` : ''}${truth}`
  }
}

/** Predictions for several images: a list that shows itself. */
export class Predictions extends Array<Prediction> {
  static override get [Symbol.species]() {
    return Array
  }

  /** The part that is right, 0 to 1, of those whose true class is known; `null` where none is. */
  get accuracy(): number | null {
    const known = this.filter(one => one.truth !== null)
    return known.length ? known.filter(one => one.truth === one.label).length / known.length : null
  }

  [displaySymbol](): Promise<MimeBundle> {
    return import('../show/prediction.ts').then(({ predictionsBundle }) => predictionsBundle(this))
  }

  [inspect.custom](): string {
    const { accuracy } = this, shown = this.slice(0, 20).map(one => inspect(one))
    if (this.length > 20) shown.push(`… and ${this.length - 20} more`)
    return [`${this.length} predictions${accuracy === null ? '' : `, ${(accuracy * 100).toFixed(1)} % right`}`,
      ...shown].join('\n')
  }
}
