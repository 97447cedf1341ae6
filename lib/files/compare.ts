import { inspect } from 'node:util'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { toFloats } from '../save/numbers.ts'
import { columns, count, escape, measure, plural, shorten } from '../show/format.ts'
import { chip, faint, frame, table, type Column } from '../show/html.ts'
import { palette } from '../show/palette.ts'
import { readContents, type Contents, type FileWeight } from './contents.ts'
import { sizeOf } from './facts.ts'

/** A weight that is not the same in both files. */
export interface WeightDifference {
  layer: string
  weight: string
  state: 'changed' | 'other shape' | 'only in the first' | 'only in the second'
  shape: number[]
  /** The largest difference of a number, and of all the mean; 0 where the shapes differ. */
  most: number
  mean: number
  /** The largest difference as a part of the largest number in the first file. */
  relative: number
}

/** What {@link compare} answers with. It shows itself as a table. */
export class FileComparison {
  readonly first: string
  readonly second: string
  /** How many weights are bit for bit the same. */
  readonly same: number
  readonly differences: WeightDifference[]

  constructor(a: Contents, b: Contents) {
    this.first = a.path
    this.second = b.path
    const { same, differences } = differ(a, b)
    this.same = same
    this.differences = differences
  }

  /** Whether all weights are the same. */
  get none(): boolean {
    return this.differences.length === 0
  }

  [displaySymbol](): MimeBundle {
    const rows = this.differences.map(each => [
      chip(each.state, each.state === 'changed' ? palette.train : palette.bad),
        escape(shorten(`${each.layer}/${each.weight}`, 48)),
      escape(each.shape.join(' × ')), ...numbers(each).map(number => faint(number)),
    ])
    const head = `<div><b style="font-size:15px">${escape(this.#title)}</b> ${faint(escape(this.#words))}</div>`
    return { 'text/html': frame(head + (rows.length ? table(layout, rows, { head: true }) : '')),
      'text/plain': this[inspect.custom]() }
  }

  [inspect.custom](): string {
    const rows = this.differences.map(each => [each.state, shorten(`${each.layer}/${each.weight}`, 48), each.shape.join('×'),
      ...numbers(each)])
    const body = rows.length ? [columns([layout.map(({ head }) => head), [], ...rows],
      ['left', 'left', 'left', 'right', 'right', 'right'])] : []
    return [`${this.#title}: ${this.#words}`, ...body].join('\n')
  }

  get #title(): string {
    return `${this.first} → ${this.second}`
  }

  get #words(): string {
    return `${plural(this.same, 'weight')} the same, ${this.none ? 'none' : count(this.differences.length)} different`
  }
}

const layout: Column[] = [
  { head: '', width: 17 }, { head: 'Weight', width: 36 }, { head: 'Shape', width: 17 },
  { head: 'Largest', width: 10, align: 'right' }, { head: 'Mean', width: 10, align: 'right' },
    { head: 'Relative', width: 10, align: 'right' },
]

const numbers = ({ state, most, mean, relative }: WeightDifference): string[] =>
  state === 'changed' ? [most, mean, relative].map(measure) : ['', '', '']

function differ(a: Contents, b: Contents): { same: number; differences: WeightDifference[] } {
  const others = new Map(b.layers.map(layer => [layer.name, layer.weights])), differences: WeightDifference[] = []
  let same = 0
  for (const { name, weights } of a.layers) {
    const theirs = others.get(name) ?? []
    others.delete(name)
    const none = { layer: name, most: 0, mean: 0, relative: 0 }
    for (const [i, weight] of weights.entries()) {
      // Where a file only numbers a layer's weights, they are in the same order.
      const other = theirs.find(each => each.name === weight.name) ?? (theirs.length === weights.length ? theirs[i] : undefined)
      const found = { ...none, weight: /^\d/.test(weight.name) && other ? other.name : weight.name, shape: weight.shape }
      if (!other) differences.push({ ...found, state: 'only in the first' })
      else if (other.shape.join() !== weight.shape.join()) differences.push({ ...found, state: 'other shape' })
      else {
        const by = distance(weight, other)
        if (by.most === 0) same++
        else differences.push({ ...found, ...by, state: 'changed' })
      }
    }
    for (const weight of theirs.slice(weights.length)) {
      differences.push({ ...none, weight: weight.name, shape: weight.shape, state: 'only in the second' })
    }
  }
  for (const [layer, weights] of others) {
    for (const { name, shape } of weights) {
      differences.push({ layer, weight: name, shape, state: 'only in the second', most: 0, mean: 0, relative: 0 })
    }
  }
  return { same, differences }
}

function distance(a: FileWeight, b: FileWeight): { most: number; mean: number; relative: number } {
  const x = toFloats(a), y = toFloats(b)
  let most = 0, sum = 0, largest = 0
  for (let i = 0; i < x.length; i++) {
    // Not a number is no difference from itself.
    const by = Object.is(x[i], y[i]) ? 0 : Math.abs(x[i] - y[i])
    most = by > most || Number.isNaN(by) ? by : most
    sum += by
    largest = Math.max(largest, Math.abs(x[i]))
  }
  return { most, mean: sum / Math.max(1, sizeOf(a)), relative: largest ? most / largest : most }
}

/**
 * Which weights differ between two model files, and by how much; also between formats. Layers are told by their names, those of
 * models within the model too. Nothing is built. The answer shows itself.
 *
 * @throws GraftError for a missing, damaged or foreign file, and for `.onnx`, whose weights carry no layers' names
 * @example
 * await files.compare('before.keras', 'after.h5')
 */
export async function compare(first: string, second: string): Promise<FileComparison> {
  return new FileComparison(await readContents(first, false), await readContents(second, false))
}
