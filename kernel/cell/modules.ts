import { existsSync, readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'
import { parseSync } from 'oxc-parser'
import { GraftError } from '../../lib/error.ts'
import { positionAt } from './frame.ts'
import { graftRoot, isLocal } from './local.ts'
import { fileAt, localFiles } from './local-files.ts'
import { mapPositions } from './stack.ts'
import { placeError } from './traceback.ts'
import { SourceError, transpile } from './transpile.ts'

const graftUrl = pathToFileURL(graftRoot + sep).href
const aliases: Record<string, string> = {
  'graft': 'lib/index.ts', '@graft-kernel/graft': 'lib/index.ts', 'tslab': 'kernel/display/tslab.ts',
  '@observablehq/plot': 'lib/plot.ts',
}

let installed = false

/**
 * Teaches Node how cells and local files import: `graft` is this library; Plot is the one that needs no browser; a package is looked
 * for in the notebook's folder, then among Graft's own, also where Deno's `npm:` stands before its name; an extension may be left out; JSON needs no attribute; TypeScript of every kind runs; and an edited file is
 * loaded anew on its next import, because its URL carries the newest time of change among itself and all it imports.
 */
export function installModules(): void {
  if (installed) return
  installed = true
  registerHooks({
    resolve(specifier, context, next) {
      const alias = specifier in aliases && graftUrl + aliases[specifier]
      if (alias && context.parentURL !== alias) return { url: alias, shortCircuit: true }
      const found = resolveWidely(withoutRegistry(specifier), context, next)
      if (!found.url.startsWith('file:')) return found
      const path = fileURLToPath(found.url)
      if (path.endsWith('.json')) found.importAttributes = { ...found.importAttributes, type: 'json' }
      if (!isLocal(path) || !context.conditions?.includes('import')) return found
      return { ...found, url: `${found.url.split('?')[0]}?changed=${newestChange(path)}`, shortCircuit: true }
    },
    load(url, context, next) {
      if (!/^file:.*\.[mc]?tsx?\?changed=/.test(url)) return next(url, context)
      const path = fileURLToPath(url)
      const source = readFileSync(path, 'utf8')
      const { code, mappings } = transpileFile(path, source)
      mapPositions(url, { mappings, source: () => source, path })
      const isCommon = path.endsWith('.cts') || !path.endsWith('.mts') && !parseSync(path, code, { lang: 'js' }).module.hasModuleSyntax &&
        /\b(require|module\.exports|exports\.)\b/.test(code)
      return { format: isCommon ? 'commonjs' : 'module', source: code, shortCircuit: true }
    },
  })
}

function transpileFile(path: string, source: string) {
  try {
    return transpile(path, source, tsconfigOf(dirname(path)))
  } catch (error) {
    if (error instanceof SourceError) placeError(error, { name: path, source, ...positionAt(source, error.offset), length: error.end - error.offset })
    throw error
  }
}

type Resolve = NonNullable<Parameters<typeof registerHooks>[0]['resolve']>

/** `npm:@scope/name@4/file` and `jsr:…`, as Deno writes them, mean what is installed under that name. */
const withoutRegistry = (specifier: string) => specifier.replace(/^(?:npm|jsr):\/?((?:@[^/]+\/)?[^/@]+)(?:@[^/]*)?/, '$1')

const resolveWidely = (specifier: string, context: Parameters<Resolve>[1], next: Parameters<Resolve>[2]) => {
  const parent = context.parentURL ?? '', isUsers = !parent.includes('/node_modules/')
  if (isUsers && /^https?:/.test(specifier)) {
    throw new GraftError(`cannot import '${specifier}': imports take packages, files and Node's own modules. Install the package in the notebook's folder, or download the file.`)
  }
  try {
    return next(specifier, context)
  } catch (error) {
    if (!isUsers || !isMissing(error)) throw error
    if (/^(\.\.?\/|\/|file:)/.test(specifier)) {
      const file = fileAt(fileURLToPath(new URL(specifier, parent)))
      if (!file) throw explain(error, specifier, parent)
      return next(pathToFileURL(file).href, context)
    }
    try {
      return next(specifier, { ...context, parentURL: graftUrl + 'package.json' })
    } catch {
      throw explain(error, specifier, parent)
    }
  }
}

const packageOf = (specifier: string) => specifier.split('/').slice(0, specifier[0] === '@' ? 2 : 1).join('/')

/** The same error, in words for whoever wrote the import: in a cell, or in a file of the user's. */
function explain(error: unknown, specifier: string, parent: string): unknown {
  const path = parent.startsWith('file:') ? fileURLToPath(parent).split('?')[0] : '', importer = basename(path), inCell = /^(Cell [\d.]+|notebook\.ts)$/.test(importer)
  if (path.startsWith(graftRoot + sep) && !isLocal(path)) return error
  const text = /^[./]|^file:/.test(specifier) ?
    `Cannot find the file '${specifier}' from ${inCell ? 'the notebook\'s folder' : importer}.` :
    `Cannot find the package '${specifier}'${inCell ? '' : `, which ${importer} imports`}. Install it in the notebook's folder: npm install ${packageOf(specifier)}`
  return Object.assign(error as Error, { message: text })
}

const isMissing = (error: unknown) =>
  ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_UNSUPPORTED_DIR_IMPORT'].includes((error as { code?: string }).code ?? '')

/** The newest time of change, in milliseconds, among a local file and all that it imports. */
const newestChange = (path: string) => Math.max(0, ...localFiles(path).values())

/** The one setting of a folder's tsconfig.json that changes what its files do when they run. */
function tsconfigOf(folder: string): { experimentalDecorators?: boolean } {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'tsconfig.json')
    if (existsSync(file)) return { experimentalDecorators: /"experimentalDecorators"\s*:\s*true/.test(readFileSync(file, 'utf8')) }
    if (dirname(at) === at) return {}
  }
}

/** Whether a module that cannot be loaded may be there for its types alone: a declaration file, or a package without code. */
export function isOfTypes(specifier: string, folder: string): boolean {
  if (/^[./]/.test(specifier)) return ['.d.ts', '.d.mts', '.d.cts', '/index.d.ts'].some(end => existsSync(resolve(folder, specifier.replace(/\.[mc]?[jt]s$/, '') + end)))
  const name = packageOf(specifier), places = createRequire(join(folder, 'notebook.ts')).resolve.paths(name) ?? []
  return [...places, join(graftRoot, 'node_modules')].some(place => [name, `@types/${name.replace(/^@(.*)\//, '$1__')}`].some(each => existsSync(join(place, each))))
}

export type Importer = (specifier: string) => Promise<Record<string, unknown>>

/** `import()` as if it were written in a file of the folder. */
export function importerOf(folder: string): Importer {
  return new vm.Script('specifier => import(specifier)', {
    filename: join(folder, 'notebook.ts'), importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }).runInThisContext() as Importer
}

/**
 * What `import { name } from …` gives. CommonJS modules count too: their `module.exports` holds names that Node could not see
 * beforehand, and what a compiler marked `__esModule` has its default under `default`.
 *
 * @param name an export's name, `default` or `*`
 * @returns the value in a box, or null where the module has no such export
 */
export function exportOf(module: Record<string, unknown>, name: string): { value: unknown } | null {
  const common = module.default as Record<string, unknown> | null | undefined
  const isObject = (typeof common === 'object' || typeof common === 'function') && common !== null
  // Only from Node 23 on a module says that it is CommonJS; before, what it exports by name is what its default holds.
  const isCommon = 'module.exports' in module || isObject && Object.keys(module).every(key => key === 'default' || common[key] === module[key])
  if (name === 'default' && isCommon && isObject && common.__esModule && 'default' in common) return { value: common.default }
  if (name === '*') {
    const hidden = isCommon && isObject ? Object.keys(common).filter(key => !(key in module)) : []
    if (!hidden.length) return { value: module }
    return { value: Object.assign(Object.create(null), common, module) }
  }
  if (name in module) return { value: module[name] }
  return isCommon && isObject && name in common ? { value: common[name] } : null
}
