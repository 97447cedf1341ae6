/** `1234567` → `1,234,567` */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US')

/** A word with its number: `1 epoch`, `3 epochs`, `2 batches`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** Seconds as a person says them: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 59.5) return `${Math.round(seconds)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}

/** Bytes with the digits that matter: `640 B`, `12 kB`, `3.4 MB`, `1.25 GB`. */
export function bytes(n: number): string {
  if (n < 1e3) return `${Math.round(n)} B`
  const [unit, word, digits] = n < 1e6 ? [1e3, 'kB', 0] : n < 1e9 ? [1e6, 'MB', 1] : [1e9, 'GB', 2]
  return `${(n / unit).toFixed(n / unit < 10 ? Math.max(1, digits) : Math.max(0, digits - 1))} ${word}`
}

/** A share as a percentage with the digits that matter: `97.3 %`, `100 %`. */
export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return '–'
  const hundred = share * 100
  return `${hundred >= 99.95 || hundred === 0 ? hundred.toFixed(0) : hundred.toFixed(1)} %`
}

/** A loss or a measure with four significant digits at most, never in a width that makes a column jump. */
export function measure(x: number | undefined): string {
  if (x === undefined) return '–'
  if (!Number.isFinite(x)) return String(x)
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5)) return x.toExponential(2)
  return x.toFixed(Math.abs(x) < 10 ? 4 : Math.abs(x) < 100 ? 3 : 2)
}

/** A learning rate in few letters: `0.01`, `5e-5`. */
export function rate(x: number): string {
  const short = parseFloat(x.toPrecision(3))
  return short !== 0 && short < 1e-3 ? short.toExponential() : String(short)
}

/** A layer's output shape as Keras prints it: `(None, 7, 7, 1280)`. */
export const shape = (dims: readonly (number | null)[]): string =>
  `(${dims.map(d => d ?? 'None').join(', ')}${dims.length === 1 ? ',' : ''})`

/** Escapes text for HTML and SVG. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, c => `&#${c.charCodeAt(0)};`)

/** Shortens in the middle, where names differ least. */
export const shorten = (text: string, most: number): string => {
  const letters = [...text]
  if (letters.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (most - 1 - head)).join('')}`
}

/**
 * A table in plain text, its columns aligned and two spaces apart; an empty row becomes a rule.
 *
 * @example
 * columns([['layer', 'params'], [], ['dense', '1,290']], ['left', 'right'])
 */
export function columns(rows: string[][], align: readonly ('left' | 'right')[]): string {
  const widths = align.map((_, i) => Math.max(0, ...rows.map(row => row[i]?.length ?? 0)))
  const total = widths.reduce((sum, width) => sum + width + 2, -2)
  return rows
    .map(row =>
      row.length === 0
        ? '─'.repeat(total)
        : row
            .map((cell, i) => (align[i] === 'right' ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
            .join('  ')
            .trimEnd(),
    )
    .join('\n')
}
