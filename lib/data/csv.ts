/** Rows of cells by RFC 4180: commas, quotes doubled inside quotes, line ends of any system. Blank lines are skipped. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = [], cell = '', quoted = false
  const end = () => { row.push(cell); cell = '' }
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i <= text.length; i++) {
    const char = text[i]
    if (quoted && char !== undefined) {
      if (char !== '"') cell += char
      else if (text[i + 1] === '"') { cell += '"'; i++ }
      else quoted = false
    } else if (char === '"' && cell === '') quoted = true
    else if (char === ',') end()
    else if (char === '\n' || char === undefined) {
      end()
      if (row.length > 1 || row[0] !== '') rows.push(row)
      row = []
    } else if (char !== '\r') cell += char
  }
  return rows
}
