import { readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'
import { inspect } from 'node:util'
import type { CellNumber } from '../messages.ts'
import { codeFrame } from './frame.ts'
import { isLocal } from './local.ts'
import { framesOf, type Frame } from './stack.ts'

/** What a Jupyter `error` message and a failed `execute_reply` carry. */
export interface Described {
  ename: string
  evalue: string
  traceback: string[]
}

/** A place in the user's text at which an error without a stack of its own happened: bad syntax, a failed import. */
export interface Place {
  /** `Cell 3` or the path of a file. */
  name: string
  source: string
  line: number
  column: number
  length: number
}

const places = new WeakMap<object, Place>()

/** Remembers where an error belongs whose stack cannot say it. */
export function placeError(error: unknown, place: Place): void {
  if (typeof error === 'object' && error !== null && !places.has(error)) places.set(error, place)
}

/**
 * Describes anything thrown for the user: name and message, a frame of the user's own TypeScript, the way there through the user's
 * code (not through Node's, the packages' or the kernel's), then the causes.
 *
 * @param folder paths of local files are shown from here
 * @param hint one more line for some errors, from the line of code that failed
 * @param depth how many errors this one caused
 */
export function describe(error: unknown, folder: string, hint: (error: Error, line: string) => string = () => '', depth = 0): Described {
  try {
    return described(error, folder, hint, depth)
  } catch {
    // Getters and proxies of the user's own may throw when they are looked at.
    const evalue = 'what was thrown throws itself when it is looked at'
    return { ename: 'Thrown', evalue, traceback: [`Thrown: ${evalue}`] }
  }
}

function described(error: unknown, folder: string, hint: (error: Error, line: string) => string, depth: number): Described {
  if (!(error instanceof Error) && !isErrorLike(error)) {
    const evalue = inspect(error, { depth: 2 })
    return { ename: 'Thrown', evalue, traceback: [`Thrown: ${evalue}`] }
  }
  const ename = nameOf(error)
  const evalue = String(error.message).replace(/\b(\w+?)\$(cell|hot|using)+\b/g, '$1')
  const traceback = [`${ename}: ${evalue}`]
  const place = places.get(error)
  const frames = place ? [] : framesOf(String(error.stack ?? ''), isLocal)
  const shown = place ?? placeOf(frames[0], folder)
  if (shown) {
    const line = shown.source.split(/\r?\n/)[shown.line - 1] ?? ''
    const advice = hint(error, line)
    if (advice) traceback.push(advice)
    const name = isAbsolute(shown.name) ? relative(folder, shown.name) : shown.name
    traceback.push('', `${name}, line ${shown.line}`, ...codeFrame(shown.source, shown.line, shown.column, shown.length).split('\n'))
  }
  // A recursion without an end would say the same fifty times.
  const calls = new Map<string, number>()
  for (const frame of frames.slice(1)) {
    const at = `${placeName(frame, folder)}, line ${frame.line}`, call = `    at ${frame.name ? `${frame.name} (${at})` : at}`
    calls.set(call, (calls.get(call) ?? 0) + 1)
  }
  for (const [call, times] of [...calls].slice(0, 11)) traceback.push(times > 1 ? `${call}, ${times} times` : call)
  return { ename, evalue, traceback: [...traceback, ...causesOf(error, folder, depth)] }
}

const isErrorLike = (error: unknown): error is Error =>
  typeof error === 'object' && error !== null && typeof (error as Error).stack === 'string' && typeof (error as Error).message === 'string'

function nameOf(error: Error): string {
  const own = error.name
  const constructed = error.constructor?.name
  return own === 'Error' && constructed && constructed !== 'Error' ? constructed : own || 'Error'
}

function causesOf(error: Error, folder: string, depth: number): string[] {
  if (depth === deepest) return []
  const inner = (each: unknown) => describe(each, folder, undefined, depth + 1).traceback
  const lines: string[] = []
  if (error instanceof AggregateError) error.errors.forEach((each, i) => lines.push('', `Error ${i + 1} of ${error.errors.length}:`, ...inner(each)))
  if (error.cause !== undefined && error.cause !== error) lines.push('', 'Caused by:', ...inner(error.cause))
  return lines
}

/** How far causes are followed; they may go in a circle. */
const deepest = 5

/** How a cell is called; 0 is an expression beside the cells. */
export const cellName = (number: CellNumber) => number === 0 ? 'Expression' : `Cell ${number}`

const placeName = (frame: Frame, folder: string) => frame.cell !== null ? cellName(frame.cell) : relative(folder, frame.path!) || frame.path!

function placeOf(frame: Frame | undefined, folder: string): Place | null {
  if (!frame) return null
  try {
    const source = frame.mapping?.source() ?? readFileSync(frame.path!, 'utf8')
    const word = /^[\w$]+/.exec(source.split(/\r?\n/)[frame.line - 1]?.slice(frame.column - 1) ?? '')
    return { name: placeName(frame, folder), source, line: frame.line, column: frame.column, length: word?.[0].length ?? 1 }
  } catch {
    return null
  }
}
