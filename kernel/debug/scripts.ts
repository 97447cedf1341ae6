import { existsSync } from 'node:fs'
import type { Debugger } from 'node:inspector'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { graftRoot, isLocal } from '../cell/local.ts'
import type { Position } from '../cell/stack.ts'
import type { CellNumber } from '../messages.ts'
import type { Inspector } from './inspector.ts'
import type { Source } from './symbols.ts'
import { pathOf, type Naming } from './naming.ts'

/** A script of the user's. */
export interface Script {
  id: string
  url: string
  /** By which front ends know it. */
  path: string
  name: string
  /** A cell's number. */
  cell: CellNumber | null
}

/** A place in a script at which the engine can stop; lines and columns count from 1. */
export interface Stop extends Position {
  location: Debugger.Location
}

/** The scripts that the main thread has loaded, and the way between their positions and the user's text. */
export class Scripts {
  readonly #inspector: Inspector
  readonly #naming: Naming
  readonly #urls = new Map<string, string>()
  readonly #lastLines = new Map<string, number>()
  readonly #scripts = new Map<string, Promise<Script | null>>()
  readonly #stops = new Map<string, Promise<Stop[]>>()

  constructor(inspector: Inspector, naming: Naming) {
    this.#inspector = inspector
    this.#naming = naming
  }

  /** Takes in a script that was parsed. */
  add({ scriptId, url, endLine }: Debugger.ScriptParsedEventDataType): void {
    this.#urls.set(scriptId, url)
    this.#lastLines.set(scriptId, endLine)
  }

  /** Whether this is where a cell ends, in a line that the kernel added: a step from there would end in the next cell. */
  isEnd({ scriptId, lineNumber }: Debugger.Location): boolean {
    return lineNumber === this.#lastLines.get(scriptId)
  }

  urlOf(id: string): string {
    return this.#urls.get(id) ?? ''
  }

  /** The script with this id, if the user wrote it. */
  find(id: string): Promise<Script | null> {
    let script = this.#scripts.get(id)
    if (!script) this.#scripts.set(id, script = this.#identify(id))
    return script
  }

  /** All scripts under a path: a cell that ran twice, or a file that was edited, has several. */
  async named(path: string): Promise<Script[]> {
    const all = await Promise.all([...this.#urls.keys()].map(id => this.find(id)))
    return all.filter(script => script?.path === path) as Script[]
  }

  /** The files that the notebook has loaded, the user's own first; not what Graft itself is made of. */
  get files(): { name: string, path: string }[] {
    const paths = new Set([...this.#urls.values()].filter(url => url.startsWith('file:') && !isCell(url)).map(fileOf))
    const [own, others] = [[...paths].filter(path => isLocal(path) && existsSync(path)), [...paths].filter(path => !isLocal(path) && !path.startsWith(graftRoot))]
    return [...own, ...others].map(path => ({ name: basename(path), path }))
  }

  /** The places in the user's text of places in a script; null for what the kernel added. */
  originals(id: string, locations: Debugger.Location[]): Promise<(Position | null)[]> {
    return this.#inspector.call('originals', this.urlOf(id), locations.map(({ lineNumber, columnNumber = 0 }) => [lineNumber + 1, columnNumber + 1]))
  }

  /** Every place of a script at which the engine can stop, in the order of the user's text. */
  stops(id: string): Promise<Stop[]> {
    let stops = this.#stops.get(id)
    if (!stops) this.#stops.set(id, stops = this.#findStops(id))
    return stops
  }

  async #findStops(id: string): Promise<Stop[]> {
    const { locations } = await this.#inspector.post<Debugger.GetPossibleBreakpointsReturnType>('Debugger.getPossibleBreakpoints', { start: { scriptId: id, lineNumber: 0, columnNumber: 0 } })
    const places = await this.originals(id, locations)
    const stops = locations.flatMap((location, at) => places[at] ? [{ ...places[at], location }] : [])
    return stops.sort((a, b) => a.line - b.line || a.column - b.column)
  }

  async #identify(id: string): Promise<Script | null> {
    const url = this.urlOf(id)
    if (!url.startsWith('file:')) return null
    if (!isCell(url)) {
      const path = fileOf(url)
      return isLocal(path) ? { id, url, path, name: basename(path), cell: null } : null
    }
    const source: Source | null = await this.#inspector.call('source', url)
    if (!source?.cell) return null
    return { id, url, path: pathOf(this.#naming, source.text ?? ''), name: `Cell ${source.cell}`, cell: source.cell }
  }
}

/** The inspector names a cell by a URL too. */
const isCell = (url: string) => /\/Cell%20[\d.]+$/.test(url)

const fileOf = (url: string) => fileURLToPath(url.split('?')[0])
