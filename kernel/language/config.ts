import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** The npm package holds declarations in the place of sources. */
const ending = import.meta.filename.endsWith('.ts') ? '.ts' : '.d.ts'

/** Where a package that the project depends on is installed: in its own folder, or beside it where it is a package itself. */
function installed(name: string): string {
  const folders = createRequire(join(root, 'package.json')).resolve.paths(name) ?? []
  return folders.map(folder => join(folder, name)).find(path => existsSync(path)) ?? join(root, 'node_modules', name)
}

/** The name of the document that configures the notebook's project. */
export const configName = '__graft.json'

/**
 * The configuration at the top of the file system. For a configuration that is an open document the server looks in the folders above it, by this
 * name first; what it finds there keeps it from the project of a `tsconfig.json` above the notebook, which may take seconds to load.
 */
export function topConfig(...files: string[]): string {
  return JSON.stringify({ compilerOptions: { noLib: true, types: [], noEmit: true, resolveJsonModule: true, module: 'preserve' }, files, include: [] })
}

/**
 * The configuration of a notebook's project: the folder's own tsconfig.json, with what cells need on top.
 * @param entry the document that leads to all others
 * @param lean without the types of Node and of pages: a small part of the time to load
 */
export function projectConfig(folder: string, entry: string, lean = false): string {
  const at = (path: string) => join(root, path)
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const near = createRequire(join(folder, 'notebook.ts'))
  const paths: Record<string, string[]> = {
    'graft': [at(`lib/index${ending}`)], '@graft-kernel/graft': [at(`lib/index${ending}`)], 'tslab': [at(`kernel/display/tslab${ending}`)],
  }
  for (const name of Object.keys(own.dependencies)) {
    if (!near.resolve.paths(name)?.some(path => existsSync(join(path, name)))) paths[name] = [installed(name)]
  }
  return JSON.stringify({
    ...existsSync(join(folder, 'tsconfig.json')) ? { extends: './tsconfig.json' } : {},
    compilerOptions: {
      target: 'esnext', lib: lean ? ['esnext'] : ['esnext', 'dom', 'dom.iterable'], module: 'preserve', moduleResolution: 'bundler', moduleDetection: 'force',
      strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, allowJs: true, checkJs: false,
      esModuleInterop: true, resolveJsonModule: true, isolatedModules: false, verbatimModuleSyntax: false, composite: false, incremental: false,
      noUnusedLocals: false, types: lean ? [] : ['node'], typeRoots: [join(installed('@types/node'), '..')], paths,
    },
    // An open document that belongs to no project gets one of its own, with all standard types: so the configuration is one of its own files.
    files: [entry, configName, at(`kernel/language/${lean ? 'console' : 'globals'}.d.ts`)], include: [], references: [],
  })
}
