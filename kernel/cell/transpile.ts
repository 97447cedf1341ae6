import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSync, type ParserOptions } from 'oxc-parser'
import type { HelperMode } from 'oxc-transform'
import { nativeCompiler } from '../language/compiler.ts'
import { jsxWord } from './frame.ts'
import { jsxAt } from './intent.ts'
import type { Node } from './scope.ts'

/** Loaded when a first source needs it: a cell that is JavaScript does not. */
const oxc = () => createRequire(import.meta.url)('oxc-transform') as typeof import('oxc-transform')

/** JavaScript made of TypeScript, with the mappings of a version 3 source map. */
export interface Transpiled {
  code: string
  mappings: string
}

/** A cell's JavaScript with its syntax tree; `mappings` is null where the cell is JavaScript as it stands. */
export interface ReadCell {
  code: string
  mappings: string | null
  program: Node
}

/** TypeScript that cannot be read: `offset` is where, in UTF-16 units of the source; `end` is where the offending part ends. */
export class SourceError extends SyntaxError {
  override name = 'SyntaxError'
  readonly offset: number
  readonly end: number
  constructor(message: string, offset: number, end: number) {
    super(message)
    this.offset = offset
    this.end = Math.max(end, offset + 1)
  }
}

/**
 * TypeScript → JavaScript of today: types go, enums, namespaces and parameter properties become code, imports stay unless they
 * are marked `type`. Standard decorators are lowered by TypeScript itself, because no JavaScript engine runs them yet; all else
 * goes through oxc, which takes a fifth of a millisecond for a usual cell.
 *
 * @param file the name that decides the dialect: `.ts`, `.mts`, `.cts`, `.tsx`
 * @throws SourceError where the source cannot be read
 * @example
 * transpile('cell.ts', 'const a: number = 1').code   // 'const a = 1;\n'
 */
export function transpile(file: string, source: string, options: { experimentalDecorators?: boolean } = {}): Transpiled {
  const legacy = options.experimentalDecorators === true
  if (!legacy && source.includes('@')) {
    const { program } = parse(file, source)
    if (hasDecorator(program)) return lowerDecorators(source)
  }
  const result = oxc().transformSync(file, source, {
    sourceType: 'module', sourcemap: true, target, helpers: { mode: 'External' as HelperMode },
    typescript: { onlyRemoveTypeImports: true }, decorator: { legacy, emitDecoratorMetadata: false },
  })
  if (result.errors.length) refuse(file, source, result.errors[0].message)
  return { code: result.code, mappings: result.map!.mappings }
}

/**
 * Reads a cell once where it is JavaScript already, as most small ones are; any other goes through {@link transpile}.
 *
 * @throws SourceError where the source cannot be read
 */
export function readCell(source: string): ReadCell {
  if (target === 'esnext' && !glance.test(source)) {
    const { program, errors } = parseSync('cell.ts', source, { sourceType: 'module', preserveParens: false, showSemanticErrors: true })
    if (!errors.length && isPlain(program)) return { code: source, mappings: null, program: program as unknown as Node }
  }
  const { code, mappings } = transpile('cell.ts', source)
  return { code, mappings, program: parse('cell.js', code, { lang: 'js', preserveParens: false }).program as unknown as Node }
}

/** What is likely to be TypeScript: such a cell need not be read to find that out. What it misses, the tree shows. */
const glance = /\b(?:interface|class|enum|import|export|as)\b|[\w)]\s*:\s*[A-Za-z]/

/** Whether a tree holds nothing of TypeScript's. Classes, whose members have many marks, and imports count as if they did. */
function isPlain(node: unknown): boolean {
  if (Array.isArray(node)) return node.every(isPlain)
  if (!node || typeof node !== 'object') return true
  const { type, name, declare, optional } = node as Partial<Node>
  if (/^(TS|Import|Export|ClassBody)/.test(type ?? '') || declare || name === 'this') return false
  if (optional && !/^(Member|Call)Expression$/.test(type!)) return false
  for (const key in node) {
    const inner = (node as Node)[key]
    if (typeof inner === 'object' && !isPlain(inner)) return false
  }
  return true
}

/** The syntax tree of TypeScript or JavaScript; throws {@link SourceError} where there is none. */
export function parse(file: string, source: string, options: ParserOptions = {}) {
  const result = parseSync(file, source, { sourceType: 'module', ...options })
  if (result.errors.length) throw sourceError(file, source, result.errors[0])
  return result
}

/** Node 24 knows `using`; before it, oxc writes it in older words. */
const target = Number(process.versions.node.split('.')[0]) >= 24 ? 'esnext' : 'es2024'

/** The parser says the same as the transformer, with positions in UTF-16 units instead of bytes; a few rules only the latter knows. */
function refuse(file: string, source: string, message: string): never {
  parse(file, source, { showSemanticErrors: true })
  throw new SourceError(message, 0, source.length)
}

function sourceError(file: string, source: string, error: { message: string, labels: { start: number, end: number }[] }) {
  const jsx = file.endsWith('x') ? null : jsxAt(source)
  if (jsx !== null) return new SourceError(jsxWord, jsx, jsx + 1)
  const label = error.labels.at(-1)
  return new SourceError(error.message, label?.start ?? 0, label?.end ?? source.length)
}

function hasDecorator(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(hasDecorator)
  if (!node || typeof node !== 'object') return false
  if ((node as { decorators?: unknown[] }).decorators?.length) return true
  return Object.values(node).some(hasDecorator)
}

function lowerDecorators(source: string): Transpiled {
  const folder = mkdtempSync(join(tmpdir(), 'graft-decorators-'))
  try {
    const file = join(folder, 'cell.ts')
    writeFileSync(file, source)
    try {
      execFileSync(nativeCompiler(), ['--target', 'es2022', '--module', 'esnext', '--noCheck', '--noLib', '--noResolve',
        '--types', '', '--verbatimModuleSyntax', '--moduleDetection', 'force', '--sourceMap', '--ignoreConfig', file], { stdio: 'ignore' })
    } catch {
      // The compiler complains of the library it was told to leave out, and writes its output all the same.
    }
    const { mappings } = JSON.parse(readFileSync(join(folder, 'cell.js.map'), 'utf8')) as { mappings: string }
    return { code: readFileSync(join(folder, 'cell.js'), 'utf8').replace(/\/\/# sourceMappingURL=.*\s*$/, ''), mappings }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
