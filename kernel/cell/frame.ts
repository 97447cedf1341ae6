import { stripVTControlCharacters } from 'node:util'

/**
 * The lines around a position, with a mark under it.
 *
 * @param line from 1
 * @param column from 1, in UTF-16 units
 * @param length how much the mark covers
 * @example
 * codeFrame('const a = 1\na.b()', 2, 1, 3)
 * // '  1 | const a = 1\n> 2 | a.b()\n    | ^^^'
 */
export function codeFrame(source: string, line: number, column: number, length = 1): string {
  const lines = source.split(/\r?\n/)
  const first = Math.max(1, line - 2), last = Math.min(lines.length, line + 2)
  const width = String(last).length
  const frame: string[] = []
  for (let n = first; n <= last; n++) {
    const text = clip(lines[n - 1])
    frame.push(`${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${text}`.trimEnd())
    if (n !== line || column > 200) continue
    const pad = lines[n - 1].slice(0, column - 1).replace(/[^\t]/g, ' ')
    const marks = '^'.repeat(Math.max(1, Math.min(length, text.length - column + 1)))
    frame.push(`  ${' '.repeat(width)} | ${pad}${marks}`)
  }
  return frame.join('\n')
}

const clip = (line: string) => stripVTControlCharacters(line.length > 200 ? line.slice(0, 199) + '…' : line)

/** What a cell with JSX is told. */
export const jsxWord = 'JSX is off in cells. Build elements with functions, or import a .tsx file that a bundler compiled.'

/** Line and column, both from 1, of an offset in UTF-16 units. */
export function positionAt(source: string, offset: number): { line: number, column: number } {
  const before = source.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}
