import { writeFileSync } from 'node:fs'

/** A code cell: its source, or with tags. */
export type CodeCell = string | { source: string; tags: string[] }

/** Writes a notebook of code cells for the project's kernel. Returns its path. */
export function writeNotebook(path: string, ...cells: CodeCell[]): string {
  const cell = (one: CodeCell, i: number) => ({
    id: `c${i}`, cell_type: 'code', metadata: typeof one === 'string' ? {} : { tags: one.tags },
    source: typeof one === 'string' ? one : one.source, outputs: [], execution_count: null,
  })
  const kernelspec = { name: 'graft', display_name: 'TypeScript (Graft)', language: 'typescript' }
  writeFileSync(path, JSON.stringify({ cells: cells.map(cell), metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }))
  return path
}
