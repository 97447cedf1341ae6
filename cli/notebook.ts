import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { didYouMean, GraftError } from '../lib/error.ts'

/** A cell's output (nbformat 4, "Code cell outputs"). */
export interface CellOutput {
  output_type: 'stream' | 'display_data' | 'execute_result' | 'error'
  name?: string
  text?: string
  data?: Record<string, unknown>
  metadata?: Record<string, unknown>
  execution_count?: number | null
  ename?: string
  evalue?: string
  traceback?: string[]
}

/** A cell (nbformat 4). */
export interface Cell {
  cell_type: 'code' | 'markdown' | 'raw'
  source: string
  metadata: { tags?: string[]; [name: string]: unknown }
  outputs: CellOutput[]
  execution_count?: number | null
  [name: string]: unknown
}

/** A notebook in memory; a source is one text. */
export interface Notebook {
  cells: Cell[]
  metadata: Record<string, unknown>
  nbformat: number
  nbformat_minor: number
}

/**
 * Reads a notebook of format 4.
 * @throws GraftError where there is none, or it is no such notebook
 */
export function readNotebook(path: string): Notebook {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const folder = dirname(resolve(path)),
      names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.ipynb')) : []
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such notebook' : (error as Error).message
    throw new GraftError(`${path}: ${why}.${didYouMean(basename(path), names)}`)
  }
  let json: Partial<Notebook>
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new GraftError(`${path} is no notebook: ${(error as Error).message}.`)
  }
  if (!Array.isArray(json?.cells) || json.nbformat !== 4) {
    throw new GraftError(
      `${path} is no notebook of format 4; it says nbformat ${JSON.stringify(json?.nbformat)}. Open and save it in Jupyter to convert it.`,
    )
  }
  const one = (value: unknown) => [value ?? ''].flat().map(String).join('')
  const cells = json.cells.map((cell): Cell => ({
    ...cell,
    metadata: cell?.metadata ?? {},
    source: one(cell?.source),
    outputs: cell?.outputs ?? [],
  }))
  return { metadata: {}, nbformat_minor: 5, ...json, nbformat: 4, cells }
}

/** Writes a notebook whole or not at all, its texts as lists of lines, as Jupyter does. */
export function writeNotebook(path: string, notebook: Notebook): void {
  const lines = (text: string) => text.split(/(?<=\n)/)
  const cells = notebook.cells.map(({ outputs, execution_count, ...cell }) => ({
    ...cell,
    source: lines(cell.source),
    ...(cell.cell_type === 'code' && {
      execution_count: execution_count ?? null,
      outputs: outputs.map(output => ({ ...output, ...(typeof output.text === 'string' && { text: lines(output.text) }) })),
    }),
  }))
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify({ ...notebook, cells }, null, 1)}\n`)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new GraftError(`cannot write ${path}: ${(error as Error).message}.`)
  }
}
