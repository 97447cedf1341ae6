import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import MagicString from 'magic-string'
import { parseSync } from 'oxc-parser'
import { transformSync } from 'oxc-transform'
import type { Node } from './cell/scope.ts'

const kernel = new URL('.', import.meta.url).href

/** Packages that come along: ES modules of one file, which take longer to find than to load. */
const packages = new Set(['magic-string'])

/** One module on its way into the script. */
interface Part {
  code: string
  /** The modules of the script that must run before it, and those it may load later. */
  first: string[]
  later: string[]
}

/**
 * All modules of the kernel as one script, which starts in half the time that Node takes to find and load them one by one. It is a cache and no
 * build: it is written when the kernel rests, read by `main.js`, and written anew when a source has changed since. Its first line says of what it
 * was made; its value is a function of a `require`, which gives one that loads modules of the kernel by their URLs.
 *
 * @param entries URLs of the modules it begins with
 * @throws Error for forms of modules that it does not know, and for modules that import each other in a circle
 */
export function startupScript(entries: string[]): string {
  const parts = new Map<string, Part>()
  for (const waiting = [...entries]; waiting.length;) {
    const url = waiting.pop()!
    if (parts.has(url)) continue
    const part = partOf(url)
    parts.set(url, part)
    waiting.push(...part.first, ...part.later)
  }
  refuseCircles(parts)
  const files = [...parts.keys()].map(url => fileURLToPath(url)).map(path => [path, statSync(path).mtimeMs])
  const about = { main: new URL('main.js', kernel).href, made: `${Date.now().toString(36)}-${process.pid}`, node: process.version, files }
  const modules = [...parts].map(([url, { code }]) => `${JSON.stringify(url)}: ($meta, $load, $later) => {'use strict';${code}}`)
  return inAscii(`//${JSON.stringify(about)}\n(${runtime})({\n${modules.join(',\n')}\n})`)
}

/** The same code in characters of one byte each, which are read faster: all others stand in texts, patterns and comments, where an escape means the same. */
const inAscii = (code: string) => code.replace(/[^\0-\x7f]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Writes the script to a file, in one rename, and removes what V8 compiled of the one before. */
export function writeStartup(file: string, entries: string[]): void {
  const text = startupScript(entries), written = `${file}.new`
  for (const role of ['kernel', 'child']) rmSync(join(dirname(file), `${role}.cache`), { force: true })
  writeFileSync(written, text)
  renameSync(written, file)
}

/** What stands round the modules; it is written out as text. */
const runtime = `modules => $require => {
  const loaded = new Map()
  const load = url => {
    if (loaded.has(url)) return loaded.get(url)
    const make = modules[url]
    if (!make) return $require(url)
    const filename = $require('node:url').fileURLToPath(url), meta = { url, filename, dirname: $require('node:path').dirname(filename) }
    const module = make(meta, load, async url => load(url))
    loaded.set(url, module)
    return module
  }
  return load
}`

function partOf(url: string): Part {
  const path = fileURLToPath(url), source = transformSync(path, readFileSync(path, 'utf8'), { sourceType: 'module', typescript: { onlyRemoveTypeImports: true } }).code
  const { program, errors } = parseSync('module.js', source, { sourceType: 'module' })
  if (errors.length) throw new Error(`cannot join ${path}: ${errors[0].message}`)
  const code = new MagicString(source), first: string[] = [], later: string[] = [], heads: string[] = [], exported: string[] = []
  const isOurs = (target: string) => target.startsWith('file:')
  for (const node of program.body as unknown as Node[]) {
    if (node.type === 'ImportDeclaration') {
      const target = targetOf(node.source.value, url)
      if (isOurs(target)) first.push(target)
      heads.push(importOf(node, target))
      code.remove(node.start, node.end)
    } else if (node.type === 'ExportNamedDeclaration' && node.declaration) {
      code.remove(node.start, node.declaration.start)
      exported.push(...namesOf(node.declaration, path))
    } else if (node.type === 'ExportNamedDeclaration' && !node.source) {
      code.remove(node.start, node.end)
      for (const { local, exported: as } of node.specifiers as Node[]) exported.push(`${as.name}: ${local.name}`)
    } else if (node.type.startsWith('Export')) throw new Error(`cannot join ${path}: it exports what it does not declare`)
  }
  each(program, node => {
    if (node.type === 'MetaProperty') code.overwrite(node.start, node.end, '$meta')
    if (node.type !== 'ImportExpression' || !/^\.\.?\//.test(String(node.source.value ?? ''))) return
    const target = targetOf(node.source.value, url), isKernels = target.startsWith(kernel)
    if (isKernels) later.push(target)
    code.overwrite(node.start, node.end, `${isKernels ? '$later' : 'import'}(${JSON.stringify(target)})`)
  })
  return { code: `${heads.join('')}${code.toString()}\nreturn { ${exported.join(', ')} }`, first, later }
}

function targetOf(specifier: string, from: string): string {
  if (specifier.startsWith('.')) return new URL(specifier, from).href
  return packages.has(specifier) ? pathToFileURL(createRequire(from).resolve(specifier)).href : specifier
}

/** An import as constants: nothing that is exported here takes another value later. */
function importOf({ specifiers }: Node, target: string): string {
  const from = `$load(${JSON.stringify(target)})`, names: string[] = []
  let whole = ''
  for (const { type, local, imported } of specifiers as Node[]) {
    if (type === 'ImportSpecifier') names.push(imported.name === local.name ? local.name : `${imported.name}: ${local.name}`)
    else if (type === 'ImportNamespaceSpecifier' || isBuiltin(target)) whole += `const ${local.name} = ${from};`
    else names.push(`default: ${local.name}`)
  }
  return `${whole}${names.length ? `const { ${names.join(', ')} } = ${from};` : ''}`
}

function namesOf({ type, id, kind, declarations }: Node, path: string): string[] {
  if (type !== 'VariableDeclaration') return [id.name]
  if (kind !== 'const') throw new Error(`cannot join ${path}: it exports a variable that may change`)
  const names: string[] = []
  for (const { id } of declarations as Node[]) {
    if (id.type === 'Identifier') names.push(id.name)
    else for (const { value } of id.properties as Node[]) names.push(value.name)
  }
  return names
}

function each(node: unknown, work: (node: Node) => void): void {
  if (Array.isArray(node)) return node.forEach(one => each(one, work))
  if (typeof node !== 'object' || node === null) return
  if (typeof (node as Node).type === 'string') work(node as Node)
  for (const inner of Object.values(node)) each(inner, work)
}

function refuseCircles(parts: Map<string, Part>) {
  const done = new Set<string>()
  const visit = (url: string, path: string[]) => {
    if (path.includes(url)) throw new Error(`cannot join modules that import each other: ${[...path, url].join(' → ')}`)
    if (done.has(url)) return
    for (const next of parts.get(url)!.first) visit(next, [...path, url])
    done.add(url)
  }
  for (const url of parts.keys()) visit(url, [])
}
