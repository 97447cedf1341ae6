import { inspect } from 'node:util'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { GraftError } from '../error.ts'
import { toFloats } from '../save/numbers.ts'
import { count, escape, plural } from '../show/format.ts'
import { chip, frame } from '../show/html.ts'
import { palette } from '../show/palette.ts'
import { readContents, type Contents } from './contents.ts'
import { factsHtml, factsText, sizeOf, type Facts } from './facts.ts'
import { fingerprintOf } from './fingerprint.ts'

/** What {@link verify} answers with. It shows itself. */
export class FileCheck {
  readonly path: string
  /** Whether nothing was found. */
  readonly ok: boolean
  /** What is wrong, one sentence each. */
  readonly problems: string[]
  /** What was looked at. */
  readonly checked: string[]
  readonly sha256: string | undefined

  constructor(path: string, { problems, checked, sha256 }: { problems: string[]; checked: string[]; sha256?: string }) {
    this.path = path
    this.ok = problems.length === 0
    this.problems = problems
    this.checked = checked
    this.sha256 = sha256
  }

  #facts(): Facts {
    return [
      ...this.problems.map((problem): [string, string] => ['Wrong', problem]),
      ...this.checked.map((what): [string, string] => ['Checked', what]),
      ...this.sha256 ? [['SHA-256', this.sha256] as [string, string]] : [],
    ]
  }

  [displaySymbol](): MimeBundle {
    const state = this.ok ? chip('in order', palette.good) : chip('not in order', palette.bad)
    return {
      'text/html': frame(`<div><b style="font-size:15px">${escape(this.path)}</b> ${state}</div>${factsHtml(this.#facts())}`),
      'text/plain': this[inspect.custom](),
    }
  }

  [inspect.custom](): string {
    return `${this.path}: ${this.ok ? 'in order' : 'not in order'}\n${factsText(this.#facts())}`
  }
}

/**
 * Whether a model's file is whole: readable to its end, its checksums right, every weight there, all numbers finite, and, where
 * Graft wrote it, the weights those that were saved. Nothing is built. Never throws for what it finds in the file.
 *
 * @throws GraftError where there is no such file
 * @example
 * (await files.verify('model.keras')).ok
 */
export async function verify(path: string): Promise<FileCheck> {
  try {
    return new FileCheck(path, look(await readContents(path, false)))
  } catch (error) {
    if (!(error instanceof GraftError) || /there is no such file|unknown extension|no extension/.test(error.message)) throw error
    return new FileCheck(path, { problems: [error.message], checked: [] })
  }
}

function look(contents: Contents) {
  const problems: string[] = [], weights = contents.layers.flatMap(({ weights }) => weights)
  const numbers = weights.reduce((sum, weight) => sum + sizeOf(weight), 0)
  const checked = [`${plural(weights.length, 'weight')} with ${count(numbers)} numbers can be read`]
  for (const layer of contents.layers) {
    for (const weight of layer.weights) {
      if (!weight.data) continue
      const bad = toFloats(weight).reduce((sum, value) => sum + (Number.isFinite(value) ? 0 : 1), 0)
      if (bad) problems.push(`${count(bad)} of ${count(sizeOf(weight))} numbers of ${layer.name}/${weight.name} are not finite`)
    }
  }
  if (!problems.length) checked.push('all numbers are finite')
  if (contents.format === '.keras') checked.push("the archive's checksums are right")
  const saved = contents.note?.fingerprint
  if (saved && contents.stored.length) {
    if (fingerprintOf(contents) === saved) checked.push('the weights are those that Graft saved, by their fingerprint')
    else problems.push('the weights are not those that Graft saved: the file was changed or damaged')
  }
  if (contents.model === null && !contents.note) checked.push('it holds weights alone: what model they are for it does not tell')
  return { problems, checked, sha256: contents.sha256 }
}
