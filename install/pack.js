// Writes the npm package: node install/pack.js [FOLDER]. Node strips no types under node_modules, so the package holds JavaScript and declarations.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { npmCommand } from './packages.js'
import { root, stateFolder } from './place.js'

const parts = ['kernel', 'lib', 'cli', 'install']
const build = join(stateFolder, 'package')

/** Builds the package in a folder of its own and packs it. Returns the tarball's path. */
export function pack(folder = root) {
  rmSync(build, { recursive: true, force: true })
  mkdirSync(build, { recursive: true })
  const settings = join(build, 'tsconfig.json')
  writeFileSync(
    settings,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rootDir: root,
        outDir: build,
        rewriteRelativeImportExtensions: true,
        allowImportingTsExtensions: false,
        allowJs: true,
        noUnusedLocals: false,
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      include: ['kernel', 'lib', 'cli'].map(part => join(root, part, '**', '*.ts')),
      exclude: [join(root, '**', '*.as.ts')],
    }),
  )
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', settings], {
    stdio: 'inherit',
    cwd: root,
  })
  rmSync(settings)
  for (const part of parts) {
    for (const path of walk(join(root, part))) {
      // Declarations that were written by hand stay; TypeScript becomes what was just compiled.
      if (/\.ts$/.test(path) && !/\.d\.ts$/.test(path)) continue
      const target = join(build, relative(root, path))
      mkdirSync(join(target, '..'), { recursive: true })
      cpSync(path, target)
    }
  }
  for (const path of walk(build)) if (/\.(js|d\.ts)$/.test(path)) writeFileSync(path, ownNames(readFileSync(path, 'utf8')))
  for (const name of ['README.md', 'LICENSE']) cpSync(join(root, name), join(build, name))
  writeFileSync(join(build, 'package.json'), JSON.stringify(manifest(), null, 2))
  const [npm, ...first] = npmCommand()
  mkdirSync(folder, { recursive: true })
  const before = new Set(readdirSync(folder))
  execFileSync(npm, [...first, 'pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder], {
    cwd: build,
    stdio: 'pipe',
  })
  return join(
    folder,
    readdirSync(folder).find(name => name.endsWith('.tgz') && !before.has(name))
      ?? readdirSync(folder).find(name => name.endsWith('.tgz')),
  )
}

/** The names of the project's own files, as they are after compiling: those in strings, which the compiler leaves. */
const ownNames = text =>
  text.replace(
    /(["'])((?:\.{1,2}|lib|kernel|cli)\/[\w./-]+?)(?<!\.d)\.ts\1/g,
    (whole, quote, path) => `${quote}${path}.js${quote}`,
  )

function manifest() {
  const { scripts, devDependencies, dependencies, exports, imports, ...own } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // Its install script downloads hundreds of megabytes for CUDA from elsewhere than npm; `graft install --engine onnxruntime` leaves that out.
  const { 'onnxruntime-node': onnxRuntime, ...needed } = dependencies
  return {
    ...own,
    dependencies: needed,
    peerDependencies: { 'onnxruntime-node': onnxRuntime },
    peerDependenciesMeta: { 'onnxruntime-node': { optional: true } },
    engines: { node: '>=22.18' },
    exports: { '.': { types: './lib/index.d.ts', default: './lib/index.js' }, './package.json': './package.json' },
    imports: { '#lib/*': './lib/*' },
    files: parts,
  }
}

function* walk(folder) {
  for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else yield path
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) console.log(pack(process.argv[2]))
