import { columns as aligned, escape } from './format.ts'

/**
 * Tables that stay readable wherever a notebook is shown: inline styles and no script, for JupyterLab's sanitizer keeps those;
 * no colour of their own for text and ground, so that they suit a light and a dark page; and structure and words that still tell
 * everything where GitHub strips the styles.
 */
export interface Column {
  head: string
  /** Width as a share of the table, in percent. */
  width: number
  align?: 'left' | 'right'
}

const margin = 20

const element = (name: string, attributes: string, inside: string) =>
  `<${name}${attributes && ` ${attributes}`}>${inside}</${name}>`

/** A table; with several tables of the same columns below each other the columns align. Rows hold HTML. */
export function table(columns: Column[], rows: string[][], options: { head?: boolean; inline?: boolean } = {}): string {
  const cell = (tag: 'td' | 'th', { align }: Column, html: string) =>
    element(tag, align === 'right' ? 'align="right" style="padding:3px 6px"' : 'style="padding:3px 6px;text-align:left;overflow-wrap:break-word"', html)
  const row = (tag: 'td' | 'th', cells: string[]) =>
    element('tr', '', cells.map((html, i) => cell(tag, columns[i], html)).join(''))
  const widths = element('colgroup', '', columns.map(column => `<col width="${column.width}%">`).join(''))
  const head = options.head ? element('thead', '', row('th', columns.map(column => escape(column.head)))) : ''
  const body = element('tbody', '', rows.map(cells => row('td', cells)).join(''))
  const inline = options.inline ? ';display:inline-table;vertical-align:middle' : ''
  const style = `table-layout:fixed;width:100%;margin:0;border-collapse:collapse${inline}`
  return element('table', `width="100%" style="${style}"`, widths + head + body)
}

/** Something that folds: a row of the table which opens on a click, and what it hides. */
export function fold(columns: Column[], row: string[], inside: string): string {
  const line = table(columns, [row], { inline: true })
  return element('details', '', element('summary', 'style="list-style-position:outside;cursor:pointer"', line) + inside)
}

/** A line of a table that folds: HTML for its cells, the same in plain text, and the lines that it folds. */
export interface Branch { cells: string[], plain: string[], inside?: Branch[] }

/**
 * Lines of which some fold. Neighbouring lines share a table; what folds stands between two tables. A cell's inline styles take
 * room: beyond some thousand cells what is folded is set as plain columns, and beyond twice as many what folds within it too.
 */
export function tree(columns: Column[], lines: Branch[]): string {
  const all = (some: Branch[]): number => some.reduce((sum, { inside }) => sum + (inside ? all(inside) : 1), 0)
  const cells = all(lines) * columns.length, fits = cells <= 3600, rich = cells <= 7000
  const set = (some: Branch[], depth: number): string => {
    let out = ''
    let open: Branch[] = []
    const heads = depth > 0 && !rich ? plainLines(columns, some.filter(({ inside }) => inside).map(line => line.plain)) : []
    const close = () => {
      if (open.length && (fits || depth === 0)) out += table(columns, open.map(({ cells }) => cells))
      else if (open.length) out += plain(columns, open.map(line => line.plain))
      open = []
    }
    for (const line of some) {
      if (line.inside) {
        close()
        const inside = set(line.inside, depth + 1), head = heads.shift()
        out += head === undefined ? fold(columns, line.cells, inside) : plainFold(head, inside)
      } else open.push(line)
    }
    close()
    return out
  }
  return set(lines, 0)
}

const plain = (columns: Column[], rows: string[][]): string =>
  element('pre', 'style="margin:4px 6px;font-size:12px"', plainLines(columns, rows).join('\n'))

const plainLines = (columns: Column[], rows: string[][]): string[] =>
  escape(aligned(rows, columns.map(({ align = 'left' }) => align))).split('\n')

function plainFold(head: string, inside: string): string {
  const line = element('pre', 'style="display:inline-block;margin:0;font-size:12px"', head)
  return element('details', '', element('summary', 'style="cursor:pointer"', line) + inside)
}

/** The frame of a display: room for the folding marks at the left, a width at which lines are easy to follow. */
export function frame(html: string, width = 860, letters = 13): string {
  const page = element('div', `style="min-width:600px;margin-left:${margin}px;font-size:${letters}px;line-height:1.35"`, html)
  return element('div', `style="max-width:${width}px;overflow-x:auto"`, page)
}

/** A bar of which a share is filled. */
export function share(part: number, color: string): string {
  const filled = element('div', `style="width:${(part * 100).toFixed(2)}%;height:4px;background:${color}"`, '')
  return element('div', 'style="width:100%;height:4px;margin:6px 0;background:#8b949e"', filled)
}

/** A word on a coloured ground, for the state that stands out. */
export const chip = (text: string, background: string): string =>
  `<span style="background:${background};color:#ffffff;border-radius:8px;padding:0 7px;white-space:nowrap">${escape(text)}</span>`

/** A word that steps back. */
export const faint = (html: string): string => `<span style="opacity:0.72">${html}</span>`
