import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { parse } from '../language/parse.ts'

/** What an import of a local file may leave out. */
const extensions = ['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js']

/** The file that an import means by this path: with its extension, without it, or with that of the JavaScript that it becomes. */
export function fileAt(path: string): string | undefined {
  return ['', ...extensions].map(extension => path + extension).concat(path.replace(/\.([mc]?)js$/, '.$1ts'))
    .find(file => extname(file) && existsSync(file) && statSync(file).isFile())
}

const imported = new Map<string, { time: number, specifiers: string[] }>()

/** A local file and the local files it imports, however far, with the times of their last changes in milliseconds. */
export function localFiles(path: string, found: Map<string, number> = new Map()): Map<string, number> {
  if (found.has(path) || !existsSync(path)) return found
  const time = statSync(path).mtimeMs
  found.set(path, time)
  let known = imported.get(path)
  if (known?.time !== time) {
    known = { time, specifiers: /\.[mc]?[jt]sx?$/.test(path) ? specifiersOf(path) : [] }
    imported.set(path, known)
  }
  for (const specifier of known.specifiers) {
    const file = fileAt(join(dirname(path), specifier))
    if (file) localFiles(file, found)
  }
  return found
}

function specifiersOf(path: string): string[] {
  const { module } = parse(readFileSync(path, 'utf8'), {}, path)
  const from = [...module.staticImports.map(i => i.moduleRequest.value),
    ...module.staticExports.flatMap(e => e.entries.map(entry => entry.moduleRequest?.value ?? ''))]
  return [...new Set(from)].filter(specifier => specifier.startsWith('.'))
}
