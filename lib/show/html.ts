import { escape } from './format.ts'

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

/** A table; with several tables of the same columns below each other the columns align. Rows hold HTML. */
export function table(columns: Column[], rows: string[][], options: { head?: boolean; inline?: boolean } = {}): string {
  const layout = `table-layout:fixed;width:100%;margin:0;border-collapse:collapse${options.inline ? ';display:inline-table;vertical-align:middle' : ''}`
  const cell = (tag: string, { align }: Column, html: string) =>
    `<${tag}${align === 'right' ? ' align="right" style="padding:3px 8px"' : ' style="padding:3px 8px;text-align:left"'}>${html}</${tag}>`
  const widths = `<colgroup>${columns.map(column => `<col width="${column.width}%">`).join('')}</colgroup>`
  const head = options.head
    ? `<thead><tr>${columns.map(column => cell('th', column, escape(column.head))).join('')}</tr></thead>`
    : ''
  const body = rows.map(row => `<tr>${row.map((html, i) => cell('td', columns[i], html)).join('')}</tr>`).join('')
  return `<table width="100%" style="${layout}">${widths}${head}<tbody>${body}</tbody></table>`
}

/** Something that folds: a row of the table which opens on a click, and what it hides. */
export const fold = (columns: Column[], row: string[], inside: string, open = false): string =>
  `<details${open ? ' open' : ''}><summary style="list-style-position:outside;cursor:pointer">${table(columns, [row], { inline: true })}</summary>${inside}</details>`

/** The frame of a display: room for the folding marks at the left, a width at which lines are easy to follow. */
export const frame = (html: string, width = 860): string =>
  `<div style="max-width:${width}px;overflow-x:auto"><div style="min-width:600px;margin-left:${margin}px;font-size:13px;line-height:1.35">${html}</div></div>`

/** A word on a coloured ground, for the state that stands out. */
export const chip = (text: string, background: string): string =>
  `<span style="background:${background};color:#ffffff;border-radius:8px;padding:0 7px;white-space:nowrap">${escape(text)}</span>`

/** A word that steps back. */
export const faint = (html: string): string => `<span style="opacity:0.72">${html}</span>`

export const code = (text: string): string => `<code style="background:transparent;padding:0">${escape(text)}</code>`
