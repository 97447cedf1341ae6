// The kernel's entry: `node kernel/main.js <connection file>`. It starts the child by the same file, and the child its thread. In plain JavaScript, so that the cache of
// compiled code is on before the first TypeScript file is read.
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import vm from 'node:vm'

const { directory } = enableCompileCache()
// Jupyter's log is no place for Node's remarks on features that this kernel knows to be experimental.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
  if ((warning?.name ?? type) !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
}

const modules = { kernel: './kernel.ts', child: './child.ts', thread: './cell/interrupt-thread.ts', debugger: './debug/inside.ts' }
const role = { '--child': 'child', '--interrupt-thread': 'thread', '--bundle': 'bundle' }[process.argv[2]] ?? 'kernel'
// The process for the cells comes first: its start is the longest part of the kernel's.
const child = role === 'kernel' ? (await import('./child-spawn.js')).spawnChild() : null
const urlOf = module => new URL(module, import.meta.url).href
const require = createRequire(import.meta.url)
const place = bundlePlace()
const bundle = place && role !== 'bundle' ? readBundle() : null
let isKept = false
const load = module => bundle ? bundle.load(urlOf(module)) : import(urlOf(module))
// The debugger has its part on this thread loaded by it.
globalThis[Symbol.for('graft.load')] = module => bundle ? bundle.load(urlOf(module)) : require(module)
// Most processes of a kernel are ended, not left to end: what they compiled is kept while they rest.
if (role !== 'bundle') for (const time of [1000, 10_000]) setTimeout(keep, time).unref()

if (role === 'bundle') (await import('./bundle.ts')).writeBundle(place.bundle, Object.values(modules).map(urlOf))
else {
  const module = await load(modules[role])
  if (role === 'kernel') await module.startKernel(process.argv[2], child)
}

/** Where the bundle of this kernel's modules is kept, beside what Node compiled (bundle.ts); null where Node keeps nothing. */
function bundlePlace() {
  if (!directory) return null
  let hash = 0
  for (const char of import.meta.url) hash = hash * 31 + char.codePointAt(0) | 0
  // What the variable names is the same for all; below it Node has a folder for each setting of V8's.
  const folder = join(process.env.NODE_COMPILE_CACHE || directory, `graft-${(hash >>> 0).toString(16)}-${process.version}`)
  return { bundle: join(folder, 'modules.js'), compiled: join(folder, `${role}.cache`) }
}

/** The bundle, if it was made of the sources as they are now. What V8 compiled of it belongs to the bundle whose name it begins with. */
function readBundle() {
  try {
    const text = readFileSync(place.bundle, 'latin1'), about = JSON.parse(text.slice(2, text.indexOf('\n')))
    if (about.node !== process.version || about.main !== import.meta.url) return null
    for (const [path, time] of about.files) if (statSync(path).mtimeMs !== time) return null
    let cachedData
    try {
      const compiled = readFileSync(place.compiled)
      if (compiled.toString('latin1', 0, about.made.length) === about.made) cachedData = compiled.subarray(about.made.length)
    } catch {
      // This is the first process with this bundle.
    }
    const script = new vm.Script(text, { filename: urlOf('./bundle.ts'), cachedData, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER })
    return { script, made: about.made, isCompiled: cachedData !== undefined && !script.cachedDataRejected, load: script.runInThisContext()(require) }
  } catch {
    return null
  }
}

async function keep() {
  flushCompileCache()
  if (isKept || !place) return
  isKept = true
  try {
    // The thread has little to compile.
    if (bundle && !bundle.isCompiled && role !== 'thread') {
      const written = `${place.compiled}.${process.pid}`
      writeFileSync(written, Buffer.concat([Buffer.from(bundle.made), compiledData()]))
      renameSync(written, place.compiled)
    } else if (!bundle && role === 'kernel') {
      const { Worker } = await import('node:worker_threads')
      new Worker(new URL(import.meta.url), { argv: ['--bundle'] }).on('error', () => {}).unref()
    }
  } catch {
    // A folder that takes no files: the next start takes longer.
  }
}

/** What V8 has compiled so far. It takes that only with the flags it had then, and the child sets one when its first cell comes (child.ts). */
function compiledData() {
  const hasFlag = role === 'child' && Number(process.versions.node.split('.')[0]) <= 25
  if (hasFlag) setFlagsFromString('--turboshaft-loop-unrolling')
  try {
    return bundle.script.createCachedData()
  } finally {
    if (hasFlag) setFlagsFromString('--no-turboshaft-loop-unrolling')
  }
}
