import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const head = '| work | network | Graft | Keras | Graft/Keras, each round | mark | losses apart | PyTorch |\n' +
  '|---|---|---|---|---|---|---|---|'

/** The table of one engine and day, in a file beside this one: a line that is measured again takes the place of the former. */
export class Table {
  readonly #file: string
  readonly #lines = new Map<string, string>()
  readonly #about: string[]

  constructor(engine: string, about: string[]) {
    const folder = join(import.meta.dirname, 'results')
    mkdirSync(folder, { recursive: true })
    this.#file = join(folder, `${new Date().toISOString().slice(0, 10)}-${engine}.md`)
    this.#about = about
    const before = existsSync(this.#file) ? readFileSync(this.#file, 'utf8').split('\n') : []
    for (const line of before.filter(line => line.startsWith('| ')).slice(1)) this.#lines.set(keyOf(line), line)
    console.log(`${about.join('\n')}\n\n${head}`)
  }

  add(cells: string[]): void {
    const line = `| ${cells.join(' | ')} |`
    this.#lines.set(keyOf(line), line)
    writeFileSync(this.#file, `${this.#about.join('\n')}\n\n${head}\n${[...this.#lines.values()].join('\n')}\n`)
    console.log(line)
  }
}

/** Work and network. */
const keyOf = (line: string) => line.split(' | ').slice(0, 2).join()
