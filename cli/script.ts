import { existsSync, writeFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { GraftError } from '../lib/error.ts'
import { names as library } from '../lib/names.ts'
import { splitMagics } from '../kernel/cell/magics.ts'
import { SourceError } from '../kernel/cell/transpile.ts'
import { readNotebook, type Notebook } from './notebook.ts'
import { CellText, type ImportLine } from './cell-text.ts'

/** What stands ready in a cell and is no part of the library, with how a program says it. */
const kernelNames: Record<string, string> = {
  display: 'const display = (value: unknown) => show(value)',
  clear: 'const clear = () => console.clear()',
  input:
    "const input = async (question = '') => { const lines = createInterface({ input: process.stdin, output: process.stdout }); try { return await lines.question(question) } finally { lines.close() } }",
}

/** Writes a notebook as a program beside it, or to `out`. Returns the exit code. */
export function writeScript(path: string, out = `${path.replace(/\.ipynb$/, '')}.ts`): number {
  if (!existsSync(dirname(resolve(out)))) throw new GraftError(`no such folder for the program: ${dirname(out)}.`)
  const { text, transforms } = scriptOf(readNotebook(path), { name: basename(path), from: libraryFrom(out) })
  writeFileSync(out, text)
  console.log(
    `Written: ${resolve(out)}\nRun it in the notebook's folder: node ${transforms ? '--experimental-transform-types ' : ''}${basename(out)}`,
  )
  return 0
}

/**
 * A notebook as one TypeScript program. Imports stand first, each once; the library's names that the cells use are imported;
 * a name that a later cell declares anew has a number from there on (functions of earlier cells keep what they saw); a cell's
 * last value is shown; what a cell told in words is a comment.
 *
 * @param options.from where the library is imported from
 * @returns the program, and whether Node has to transform it (enums, namespaces) rather than strip its types
 * @throws GraftError for a cell that cannot be parsed
 */
export function scriptOf(
  notebook: Notebook,
  { name, from }: { name: string; from: string },
): { text: string; transforms: boolean } {
  const current = new Map<string, string>(),
    taken = new Set<string>(),
    imports = new Map<string, ImportLine>(),
    used = new Set<string>(),
    body: string[] = []
  let shows = false
  for (const [i, cell] of notebook.cells.entries()) {
    if (cell.cell_type !== 'code') {
      body.push(
        cell.source
          .split('\n')
          .map(line => `// ${line}`.trimEnd())
          .join('\n'),
      )
      continue
    }
    const { source, magics } = splitMagics(cell.source)
    for (const magic of magics) body.push(`// ${magic.name} ${magic.args}`.trimEnd())
    if (!source.trim()) continue
    let text: CellText
    try {
      text = new CellText(source)
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      throw new GraftError(`${name}, cell ${i + 1} cannot be written as a program: ${error.message}`)
    }
    for (const line of text.takeImports()) {
      const known = [...imports.values()].find(other => other.from === line.from && other.imported === line.imported)
      if (known) current.set(line.local, known.local)
      else {
        const local = fresh(line.local, taken)
        imports.set(local, { ...line, local })
        current.set(line.local, local)
      }
    }
    for (const declared of text.declared) {
      const own = fresh(declared, taken)
      current.set(declared, own)
    }
    for (const free of text.free) {
      if (current.has(free)) continue
      if (Object.hasOwn(library, free) || Object.hasOwn(kernelNames, free)) used.add(free)
    }
    shows = text.showLast() || shows
    const renamed = text.renamed(current)
    if (renamed) body.push(renamed)
  }
  if (shows || used.has('display')) used.add('show')
  const own = Object.keys(kernelNames).filter(one => used.has(one))
  const ready = [...used].filter(one => Object.hasOwn(library, one) && one !== 'graft').sort()
  const head = [
    `// Written from ${name} by graft script.`,
    ready.length ? `import { ${ready.join(', ')} } from ${quoted(from)}` : '',
    used.has('graft') ? `import * as graft from ${quoted(from)}` : '',
    own.includes('input') ? "import { createInterface } from 'node:readline/promises'" : '',
    ...importLines([...imports.values()]),
    ...own.map(one => kernelNames[one]),
    shows ? 'const shown = async (value: unknown) => { if (value !== undefined) await show(value) }' : '',
  ].filter(Boolean)
  const text = `${head.join('\n')}\n\n${body.join('\n\n')}\n`
  return { text, transforms: !strips(text) }
}

/** The name itself, or with the first number that makes it new. */
function fresh(name: string, taken: Set<string>): string {
  let own = name
  for (let n = 2; taken.has(own); n++) own = `${name}${n}`
  taken.add(own)
  return own
}

function importLines(imports: ImportLine[]): string[] {
  const lines: string[] = [],
    named = new Map<string, string[]>()
  for (const { from, imported, local, type } of imports) {
    if (imported === '') lines.push(`import ${quoted(from)}`)
    else if (imported === '*') lines.push(`import * as ${local} from ${quoted(from)}`)
    else {
      const key = `${type ? 'import type' : 'import'}\0${from}`
      named.set(key, [...(named.get(key) ?? []), imported === local ? local : `${imported} as ${local}`])
    }
  }
  return [
    ...lines,
    ...[...named].map(([key, list]) => `${key.split('\0')[0]} { ${list.join(', ')} } from ${quoted(key.split('\0')[1])}`),
  ]
}

const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

/** The package where it is installed beside the program, else the library's own file. */
function libraryFrom(out: string): string {
  const folder = dirname(resolve(out))
  try {
    createRequire(join(folder, 'x.js')).resolve('@graft-kernel/graft')
    return '@graft-kernel/graft'
  } catch {
    const path = relative(folder, join(import.meta.dirname, '..', 'lib', 'index.ts')).replaceAll('\\', '/')
    return path.startsWith('.') ? path : `./${path}`
  }
}

function strips(text: string): boolean {
  try {
    stripTypeScriptTypes(text, { mode: 'strip' })
    return true
  } catch {
    return false
  }
}
