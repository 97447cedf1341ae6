import { SourceMap } from 'node:module'

/** A position in source: both count from 1. */
export interface Position { line: number, column: number }

/** How positions of generated code lead back to the user's own text. */
export interface Mapping {
  /** Null where the code is the user's own text. */
  mappings: string | null
  source(): string
  /** The user's file, or null for a cell. */
  path: string | null
  /** The cell's execution count. */
  count?: number
  /** How much further right the first line stands in what `mappings` describe. */
  indent?: number
  /** From the final code to the code that `mappings` describes; both count from 0. */
  first?(line: number, column: number): { line: number, column: number } | null
}

const mapped = new Map<string, Mapping>()
const decoded = new WeakMap<Mapping, SourceMap>()

/** Remembers how a script or module leads back to what the user wrote. `name` is what V8 calls it: a path or a URL. */
export function mapPositions(name: string, mapping: Mapping): void {
  mapped.set(name, mapping)
}

/** The mapping of a script, if the user wrote it. */
export const mappingOf = (name: string): Mapping | undefined => mapped.get(name)

/** The user's position for one of V8's (from 1), or null where the code is the kernel's own addition. */
export function originalPosition(mapping: Mapping, line: number, column: number): Position | null {
  let at: { line: number, column: number } | null = { line: line - 1, column: column - 1 }
  if (mapping.first) at = mapping.first(at.line, at.column)
  if (!at) return null
  const user = mapping.mappings === null ? at : originOf(mapping, at)
  return user && { line: user.line + 1, column: user.column + 1 - (user.line === 0 ? mapping.indent ?? 0 : 0) }
}

/** The way back through `mappings`; both count from 0. */
function originOf(mapping: Mapping, { line, column }: Position): Position | null {
  let map = decoded.get(mapping)
  if (!map) decoded.set(mapping, map = new SourceMap({ version: 3, mappings: mapping.mappings, sources: ['cell'], names: [] } as never))
  const { originalLine, originalColumn } = map.findEntry(line, column) as { originalLine?: number, originalColumn?: number }
  return originalLine === undefined ? null : { line: originalLine, column: originalColumn! }
}

/** One line of a stack: a cell's (`count`) or a local file's (`path`); nothing else is the user's. */
export interface Frame extends Position {
  name: string
  count: number | null
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
    const end = sites.findIndex(site => site.getFileName() === runner)
    return [head, ...sites.slice(0, end < 0 ? undefined : end).map(site => `    at ${describeSite(site)}`)].join('\n')
  }
}

const { toString } = Error.prototype

const runner = new URL('./cells.ts', import.meta.url).href

function describeSite(site: NodeJS.CallSite): string {
  const text = String(site)
  const name = site.getScriptNameOrSourceURL?.() ?? site.getFileName()
  const mapping = name ? mapped.get(name) : undefined
  if (!name || !mapping) return text
  const at = originalPosition(mapping, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1)
  if (!at) return text
  const place = `${mapping.count === undefined ? mapping.path : `Cell ${mapping.count}`}:${at.line}:${at.column}`
  return text.replace(`${name}:${site.getLineNumber()}:${site.getColumnNumber()}`, () => place)
}

/** The user's frames of a stack that {@link installStacks} wrote, innermost first. */
export function framesOf(stack: string, isUsers: (path: string) => boolean): Frame[] {
  const frames: Frame[] = []
  for (const line of stack.split('\n')) {
    const match = /^\s+at (?:(.*?) \()?(?:async )?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/.exec(line)
    if (!match) continue
    const [, name = '', place, row, column] = match
    const cell = /^Cell (\d+)$/.exec(place)
    const mapping = cell ? byCount(Number(cell[1])) : null
    if (!cell && !(place.startsWith('/') || /^[A-Za-z]:/.test(place))) continue
    if (!cell && !isUsers(place)) continue
    frames.push({
      name: name.replace(/^async /, '').replace(/^(Object\.)?<anonymous>$/, ''), line: Number(row), column: Number(column),
      count: cell ? Number(cell[1]) : null, path: cell ? null : place.split('?')[0], mapping,
    })
  }
  return frames
}

const counts = new Map<number, Mapping>()
const byCount = (count: number) => counts.get(count) ?? null

/** Remembers a cell, so that its lines can be shown when a later one calls into it. */
export function rememberCell(name: string, mapping: Mapping & { count: number }): void {
  mapPositions(name, mapping)
  counts.set(mapping.count, mapping)
}
