import { relative } from 'node:path'
import { inspect } from 'node:util'
import type { LayersModel } from '@tensorflow/tfjs'
import { cardOf, type ModelCard } from '../card.ts'
import { displaySymbol, type MimeBundle } from '../host.ts'
import type { Placed } from './atomic.ts'
import { megabytes } from './disk.ts'
import type { Encoded, Format } from './formats/format.ts'
import { pythonFor } from './python.ts'

/**
 * What {@link save} did: where the file is, what it holds, how it was checked, and the Python lines that open it. Shows itself.
 */
export class SaveReceipt {
  /** The absolute path. */
  readonly path: string
  /** The file's size in bytes. */
  readonly bytes: number
  /** Whether a file of this name was replaced. */
  readonly replaced: boolean
  readonly layers: number
  readonly weights: number
  readonly parameters: number
  readonly trainableParameters: number
  readonly card: ModelCard | undefined
  /** Python that opens the file and predicts on one image. */
  readonly python: string
  readonly #given: string
  readonly #folder: boolean
  readonly #words: [what: string, text: string][]

  constructor(model: LayersModel, path: string, placed: Placed, format: Format, encoded: Encoded) {
    this.path = placed.path
    this.bytes = placed.bytes
    this.replaced = placed.replaced
    this.layers = model.layers.length
    const weights = encoded.weights.flatMap(({ weights }) => weights)
    this.weights = weights.length
    this.parameters = weights.reduce((sum, { data }) => sum + data.length, 0)
    this.trainableParameters = model.trainableWeights.reduce(
      (sum, { shape }) => sum + shape.reduce<number>((size, side) => size * (side as number), 1),
      0,
    )
    this.card = cardOf(model)
    this.python = pythonFor(format.extension, path, model, this.card, encoded.imports).join('\n')
    this.#given = path
    this.#folder = placed.folder
    this.#words = encoded.words ?? []
  }

  #facts(): [string, string][] {
    const { classes, handle } = this.card ?? {}
    const count = (n: number) => n.toLocaleString('en-US')
    return [
      [
        'File',
        `${this.#given}, ` +
          `${megabytes(this.bytes)}${this.replaced ? ', replaced the old one' : ''}${this.#folder ? ', in a new folder' : ''}`,
      ],
      [
        'Holds',
        `${count(this.layers)} layers, ${count(this.parameters)} parameters, of them ` +
          `${count(this.trainableParameters)} trainable`,
      ],
      ...(handle ? [['From', handle] as [string, string]] : []),
      ...(classes
        ? [
            [
              'Classes',
              classes.length > 12 ? `${classes.slice(0, 12).join(', ')}, … (${classes.length})` : classes.join(', '),
            ] as [string, string],
          ]
        : []),
      ...this.#words,
      [
        'Checked',
        `read back from the disk: the configuration and all ${count(this.weights)} weights are byte for byte what was saved`,
      ],
    ]
  }

  [inspect.custom](): string {
    const lines = this.#facts().map(([name, value]) => `${name.padEnd(8)} ${value}`)
    return [...lines, '', 'Open it in Python:', ...this.python.split('\n').map(line => `  ${line}`)].join('\n')
  }

  [displaySymbol](): MimeBundle {
    const code = 'style="padding: 8px; border: 1px solid #ccc; overflow-x: auto"'
    const cell = 'style="text-align: left; padding: 2px 12px 2px 0; vertical-align: top"'
    const rows = this.#facts().map(
      ([name, value]) => `<tr><th ${cell}>${escape(name)}</th><td ${cell}>${escape(value)}</td></tr>`,
    )
    return {
      'text/plain': this[inspect.custom](),
      'text/html': `<table>${rows.join('')}</table><p>Open it in Python:</p><pre ${code}>${escape(this.python)}</pre>`,
    }
  }

  /** The path relative to the working folder. */
  toString(): string {
    return relative(process.cwd(), this.path)
  }
}

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, letter => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter] as string)
