/** What one cell declared, as it stands in an archive. */
export interface Block {
  cell: number
  /** A namespace of the cell's name, on lines of its own. */
  text: string
  /** The other cells it speaks of. */
  others: Set<string>
}

/** So many cells share a document; more would make each addition slow. */
const most = 64

/** A document that holds the declarations of many cells that ran, each in a namespace. */
export class Archive {
  readonly name: string
  #blocks: Block[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Whether more cells may come. */
  get hasRoom(): boolean {
    return this.#blocks.length < most
  }

  get isEmpty(): boolean {
    return !this.#blocks.length
  }

  /** Takes in cells. */
  add(blocks: Block[]): void {
    this.#blocks.push(...blocks)
  }

  /** Removes cells. */
  remove(cells: number[]): void {
    this.#blocks = this.#blocks.filter(({ cell }) => !cells.includes(cell))
  }

  /** The document. */
  get text(): string {
    const here = new Set(this.#blocks.map(({ cell }) => `__cell_${cell}`))
    const others = new Set(this.#blocks.flatMap(({ others }) => [...others]).filter(name => !here.has(name)))
    return [`import { ${[...others].join(', ')} } from './__env';`, ...this.#blocks.map(({ text }) => text)].join('\n')
  }

  /** The cell that a line (from 0) of the document belongs to; -1 for the first line. */
  cellAt(line: number): number {
    let end = 1
    return this.#blocks.find(({ text }) => line < (end += text.split('\n').length))?.cell ?? -1
  }
}
