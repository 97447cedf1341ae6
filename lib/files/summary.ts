import { inspect } from 'node:util'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { megabytes } from '../save/disk.ts'
import { isObject } from '../save/keras/types.ts'
import { columns, count, escape, plural, shorten } from '../show/format.ts'
import { chip, faint, frame, table, type Column } from '../show/html.ts'
import { palette } from '../show/palette.ts'
import { readContents, type Contents, type FileLayer } from './contents.ts'
import { factsHtml, factsText, sizeOf, type Facts } from './facts.ts'

/** A layer's line in the table. */
export interface LayerLine {
  name: string
  kind: string
  frozen: boolean
  parameters: number
  /** Its weights' shapes by their names. */
  shapes: { [weight: string]: number[] }
}

/** What {@link summary} answers with. It shows itself as a table. */
export class FileSummary {
  readonly path: string
  readonly format: string
  readonly bytes: number
  readonly sha256: string
  readonly writer: string
  readonly model: string | null
  readonly layers: LayerLine[]
  readonly parameters: number
  readonly training: Contents['training']
  readonly classes: string[] | undefined
  readonly #facts: Facts

  constructor(contents: Contents) {
    const { path, format, bytes, sha256, writer, model, training, note } = contents
    this.path = path
    this.format = format
    this.bytes = bytes
    this.sha256 = sha256
    this.writer = writer
    this.model = model
    this.training = training
    this.classes = note?.card?.classes
    this.layers = contents.layers.map(lineOf)
    this.parameters = this.layers.reduce((sum, { parameters }) => sum + parameters, 0)
    this.#facts = factsOf(contents, this.parameters)
  }

  [displaySymbol](): MimeBundle {
    return { 'text/html': this.#html(), 'text/plain': this[inspect.custom]() }
  }

  [inspect.custom](): string {
    const rows = this.layers.map(line => [shorten(line.name, 40), line.kind, shapesOf(line), count(line.parameters),
      line.frozen ? 'frozen' : ''])
    const head = ['Layer', 'Class', 'Weights', 'Parameters', '']
    return [factsText(this.#facts), columns([head, [], ...rows], ['left', 'left', 'left', 'right', 'left'])].join('\n')
  }

  #html(): string {
    const rows = this.layers.map(line => [
      escape(shorten(line.name, 40)), escape(line.kind), faint(escape(shapesOf(line))),
      line.parameters ? count(line.parameters) : faint('0'), line.frozen ? chip('frozen', palette.faint) : '',
    ])
    return frame(factsHtml(this.#facts) + table(layout, rows, { head: true }))
  }
}

const layout: Column[] = [
  { head: 'Layer', width: 27 }, { head: 'Class', width: 20 }, { head: 'Weights', width: 32 },
  { head: 'Parameters', width: 12, align: 'right' }, { head: '', width: 9 },
]

const shapesOf = ({ shapes }: LayerLine): string =>
  shorten(Object.entries(shapes).map(([name, shape]) => `${name} ${shape.join('×') || '1'}`).join(', '), 60)

function lineOf({ name, kind, frozen, weights }: FileLayer): LayerLine {
  return {
    name, kind, frozen: frozen && weights.length > 0, parameters: weights.reduce((sum, weight) => sum + sizeOf(weight), 0),
    shapes: Object.fromEntries(weights.map(weight => [weight.name, weight.shape])),
  }
}

function factsOf({ path, format, bytes, sha256, writer, model, layers, training, note, more }: Contents,
  parameters: number): Facts {
  const { card } = note ?? {}, run = note?.run as { id?: string; epochs?: number; history?: { loss?: number[] } } | undefined
  const types = [...new Set(layers.flatMap(({ weights }) => weights.map(({ dtype }) => dtype)))]
  const facts: [string, string | null | undefined][] = [
    ['File', `${path}, ${megabytes(bytes)}`],
    ['Written by',
      `${writer}${note ? ` on TensorFlow.js ${note.tfjs}${note.node ? ` and Node ${note.node}` : ''}` : ''}, as ${format}`],
    ['Model', model],
    ['Holds', `${plural(layers.length, 'layer')}, ${count(parameters)} parameters${types.length ? ` (${types.join(', ')})` : ''}`],
    ['Training', training && trainingText(training)],
    ['From', card?.handle],
    ['Images', card && `${card.size.join(' × ')} pixels, values ${card.range.join(' to ')}`],
    ['Classes', card?.classes && `${card.classes.length}: ${shorten(card.classes.join(', '), 100)}`],
    ['Last run', run?.id && `${run.id}, ${run.history?.loss?.length ?? 0} of ${run.epochs} epochs`],
    ...more,
    ['SHA-256', sha256],
  ]
  return facts.filter((fact): fact is [string, string] => Boolean(fact[1]))
}

function trainingText({ optimizer, settings, loss, metrics, numbers }: NonNullable<Contents['training']>): string {
  const rate = settings.learning_rate ?? settings.learningRate
  const named = (value: unknown): string => value === null ? 'none' : typeof value === 'string' ? value
    : Array.isArray(value) ? value.map(named).join(', ') : isObject(value) ? String(value.class_name ?? JSON.stringify(value))
      : String(value)
  return `${optimizer}${typeof rate === 'number' ? ` at ${Number(rate.toPrecision(6))}` : ''}, ` +
    `${numbers ? 'with its state' : 'without its state'}; loss ${named(loss)}; metrics ${named(metrics)}`
}

/**
 * What a model's file holds, without building the model: layers, shapes, parameters, optimizer, versions, checksum. Reads `.h5`,
 * `.keras`, `.weights.h5`, `model.json` and `.onnx` of Graft, Keras, TensorFlow.js and any ONNX writer. The answer shows itself.
 *
 * @throws GraftError for a missing, damaged or foreign file
 * @example
 * await files.summary('custom_mobilenet_feature_extraction.h5')
 */
export const summary = async (path: string): Promise<FileSummary> => new FileSummary(await readContents(path, true))
