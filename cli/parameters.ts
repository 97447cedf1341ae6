import { didYouMean, GraftError } from '../lib/error.ts'
import { parse } from '../kernel/cell/transpile.ts'
import type { Notebook } from './notebook.ts'

interface Declarator {
  id: { type: string; name: string; typeAnnotation?: unknown }
  init: { start: number; end: number } | null
}

/**
 * Replaces values in the cell tagged `parameters` (papermill's convention), where they stand, so that types, comments and the
 * order stay. A value that is JSON is taken as it is, anything else as a text.
 *
 * @param given `name=value` each
 * @throws GraftError for a name that the cell does not declare, or where no cell has the tag
 */
export function setParameters(notebook: Notebook, given: string[]): void {
  if (!given.length) return
  const cell = notebook.cells.find(({ cell_type, metadata }) => cell_type === 'code' && metadata.tags?.includes('parameters'))
  if (!cell) throw new GraftError("parameters were given, but no cell of the notebook is tagged 'parameters'.")
  const { program } = parse('cell.ts', cell.source)
  const places = new Map<string, { start: number; end: number }>()
  for (const statement of program.body as unknown as { type: string; declarations?: Declarator[] }[]) {
    for (const { id, init } of statement.declarations ?? []) if (id.type === 'Identifier' && init) places.set(id.name, init)
  }
  const edits = given.map(pair => {
    const [, name, value] = /^([^=]+)=([^]*)$/.exec(pair) ?? []
    if (!name) throw new GraftError(`-p expects name=value, e.g. epochs=3; received '${pair}'.`)
    const place = places.get(name)
    if (!place)
      throw new GraftError(
        `the notebook has no parameter '${name}'.${didYouMean(name, [...places.keys()])} It has ${[...places.keys()].join(', ')}.`,
      )
    return { ...place, text: asLiteral(value) }
  })
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start))
    cell.source = cell.source.slice(0, start) + text + cell.source.slice(end)
}

function asLiteral(value: string): string {
  try {
    JSON.parse(value)
    return value
  } catch {
    return JSON.stringify(value)
  }
}
