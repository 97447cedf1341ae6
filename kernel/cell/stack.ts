import { SourceMap } from 'node:module'
import type { CellNumber } from '../messages.ts'

/** A position in source: both count from 1. */
export interface Position { line: number, column: number }

/** How positions of generated code lead back to the user's own text. */
export interface Mapping {
  /** Null where the code is the user's own text. */
  mappings: string | null
  source(): string
  /** The user's file, or null for a cell. */
  path: string | null
  number?: CellNumber
  /** How much further right the first line stands in what `mappings` describe. */
  indent?: number
  /** The mappings from the final code to the code that `mappings` describes, where that was rewritten. */
  first?(): string
}

const mapped = new Map<string, Mapping>()
/** What was looked up lately, by whose mappings they are. */
const decoded = new Map<object, SourceMap>()
const mostDecoded = 100

/** Remembers how a script or module leads back to what the user wrote. `name` is what V8 calls it: a path or a URL. */
export function mapPositions(name: string, mapping: Mapping): void {
  mapped.set(name, mapping)
}

/** The mapping of a script, if the user wrote it. */
export const mappingOf = (name: string): Mapping | undefined => mapped.get(name)

/** The user's position for one of V8's (from 1), or null where the code is the kernel's own addition. */
export function originalPosition(mapping: Mapping, line: number, column: number): Position | null {
  let at: { line: number, column: number } | null = { line: line - 1, column: column - 1 }
  if (mapping.first) at = originOf(mapping.first, mapping.first(), at)
  if (!at) return null
  const user = mapping.mappings === null ? at : originOf(mapping, mapping.mappings, at)
  return user && { line: user.line + 1, column: user.column + 1 - (user.line === 0 ? mapping.indent ?? 0 : 0) }
}

/** The way back through somebody's `mappings`; both count from 0. What stands before the first place in its line that leads back does not. */
function originOf(owner: object, mappings: string, { line, column }: Position): Position | null {
  let map = decoded.get(owner)
  if (!map) {
    if (decoded.size === mostDecoded) decoded.clear()
    decoded.set(owner, map = new SourceMap({ version: 3, mappings, sources: ['cell'], names: [] } as never))
  }
  const { generatedLine, originalLine, originalColumn } = map.findEntry(line, column) as { generatedLine?: number, originalLine?: number, originalColumn?: number }
  return originalLine === undefined || generatedLine !== line ? null : { line: originalLine, column: originalColumn! }
}

/** One line of a stack: a cell's (`cell`) or a local file's (`path`); nothing else is the user's. */
export interface Frame extends Position {
  name: string
  cell: CellNumber | null
  path: string | null
  mapping: Mapping | null
}

/**
 * Makes `error.stack` show the user's own lines: `at f (Cell 3:7:5)`. V8 calls this on the first look at a stack, so errors that
 * nobody looks at cost nothing.
 */
export function installStacks(): void {
  // A library's own frames are many: TensorFlow.js alone may fill V8's usual ten.
  Error.stackTraceLimit = 50
  Error.prepareStackTrace = (error, sites) => {
    let head: string
    // As V8 does it, also for what console.trace hands over, which is no error.
    try { head = toString.call(error) } catch { head = 'Error' }
    // What called the kernel to run the cell is no part of it.
    const end = sites.findIndex(site => site.getFunctionName() === runner && site.getFileName()?.startsWith(kernel))
    return [head, ...sites.slice(0, end < 0 ? undefined : end).map(site => `    at ${describeSite(site)}`)].join('\n')
  }
}

const { toString } = Error.prototype

const kernel = new URL('..', import.meta.url).href

/** The method of `Cells` that calls a cell's code. */
const runner = '#evaluate'

function describeSite(site: NodeJS.CallSite): string {
  const text = String(site)
  const name = site.getScriptNameOrSourceURL?.() ?? site.getFileName()
  const mapping = name ? mapped.get(name) : undefined
  if (!name || !mapping) return text
  const at = originalPosition(mapping, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1)
  if (!at) return text
  const place = `${mapping.number === undefined ? mapping.path : `Cell ${mapping.number}`}:${at.line}:${at.column}`
  return text.replace(`${name}:${site.getLineNumber()}:${site.getColumnNumber()}`, () => place)
}

/** The user's frames of a stack that {@link installStacks} wrote, innermost first. */
export function framesOf(stack: string, isUsers: (path: string) => boolean): Frame[] {
  const frames: Frame[] = []
  for (const line of stack.split('\n')) {
    const match = /^\s+at (?:(.*?) \()?(?:async )?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/.exec(line)
    if (!match) continue
    const [, name = '', place, row, column] = match
    const cell = /^Cell ([\d.]+)$/.exec(place)
    const mapping = cell ? numbered.get(cell[1]) ?? null : null
    if (!cell && !(place.startsWith('/') || /^[A-Za-z]:/.test(place))) continue
    if (cell ? !mapping : !isUsers(place)) continue
    frames.push({
      name: name.replace(/^async /, '').replace(/^(Object\.)?<anonymous>$/, ''), line: Number(row), column: Number(column),
      cell: mapping?.number ?? null, path: cell ? null : place.split('?')[0], mapping,
    })
  }
  return frames
}

const numbered = new Map<string, Mapping>()
const latest: Mapping[] = []

/** So many cells keep what they were rewritten with; the mappings, which take a moment to write, are a tenth of that. */
const mostWhole = 50

/** Remembers a cell, so that its lines can be shown when a later one calls into it. */
export function rememberCell(name: string, mapping: Mapping & { number: CellNumber }): void {
  mapPositions(name, mapping)
  numbered.set(String(mapping.number), mapping)
  if (latest.push(mapping) > mostWhole) latest.shift()!.first?.()
}
