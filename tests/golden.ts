import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Compares a text with tests/fixtures/<name>; in SVG and HTML numbers are rounded to two decimals and embedded pictures left
 * out. A test that fails writes what it got beside, as <name>-changed.<ext>: look at both, and move the new one over the old one
 * where it is better. A golden that does not exist yet is written, except in CI.
 */
export function golden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
  const ending = extname(name)
  const changed = `${path.slice(0, -ending.length)}-changed${ending}`
  const got = ending === '.txt' ? `${text}\n` : rounded(text)
  if (!existsSync(path) && !process.env.CI) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, got)
  }
  const expected = existsSync(path) ? readFileSync(path, 'utf8') : ''
  if (got === expected) return rmSync(changed, { force: true })
  writeFileSync(changed, got)
  assert.fail(
    `${name} is not as it was: compare it with ${changed.split('/').at(-1)} beside it. `
      + `First difference: ${difference(expected, got)}`,
  )
}

const rounded = (text: string) =>
  `${text
    .replace(/(data:image\/\w+;base64,)[\w+/=]+/g, '$1…')
    .replace(/-?\d+\.\d{3,}/g, number => String(parseFloat(Number(number).toFixed(2))))
    .replace(/></g, '>\n<')
    .trimEnd()}\n`

function difference(expected: string, got: string): string {
  const a = expected.split('\n')
  const b = got.split('\n')
  const i = b.findIndex((line, n) => line !== a[n])
  return `line ${i + 1}, expected ${JSON.stringify(a[i] ?? '')}, received ${JSON.stringify(b[i] ?? '')}`
}
