import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The path of TypeScript's native compiler, which is also the language server (`--lsp`). */
export function nativeCompiler(): string {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json')
  const name = `@typescript/typescript-${process.platform}-${process.arch}`
  const platform = createRequire(typescript).resolve(`${name}/package.json`)
  return join(dirname(platform), 'lib', process.platform === 'win32' ? 'tsc.exe' : 'tsc')
}
