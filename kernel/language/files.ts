import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fileAt, localFiles } from '../cell/local-files.ts'

/** A file that was created (1), changed (2) or deleted (3), as the Language Server Protocol tells of it (`FileEvent`). */
export interface FileEvent { uri: string, type: 1 | 2 | 3 }

/**
 * The local files that cells import. The language server does not look at a file twice unless it is told to; it is told when a cell imports
 * the file again, since only then its new values are there too.
 */
export class Files {
  readonly #folder: string
  readonly #seen = new Map<string, number>()

  /** @param folder the notebook's folder, from which imports are resolved */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** What happened to the files that a cell imports, and to those behind them, since they were last imported. */
  changes(source: string): FileEvent[] {
    const events: FileEvent[] = []
    for (const [, , specifier] of source.matchAll(/\b(?:from|import|require)\s*\(?\s*(['"])(\.{0,2}\/[^'"\n]+)\1/g)) {
      const file = fileAt(resolve(this.#folder, specifier))
      for (const [path, time] of file ? localFiles(file) : []) {
        const before = this.#seen.get(path)
        if (before !== time) events.push({ uri: pathToFileURL(path).href, type: before === undefined ? 1 : 2 })
        this.#seen.set(path, time)
      }
    }
    if (events.length) for (const path of this.#seen.keys()) {
      if (existsSync(path)) continue
      events.push({ uri: pathToFileURL(path).href, type: 3 })
      this.#seen.delete(path)
    }
    return events
  }
}
