// The kernel's entry: `node kernel/main.js <connection file>`. It starts the child by the same file, and the child its thread. In plain JavaScript, so that the cache of
// compiled code is on before the first TypeScript file is read.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire, enableCompileCache, flushCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
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
const role = { '--child': 'child', '--interrupt-thread': 'thread', '--startup': 'startup' }[process.argv[2]] ?? 'kernel'
// The process for the cells comes first: its start is the longest part of the kernel's.
const child = role === 'kernel' ? (await import('./child-spawn.js')).spawnChild() : null
const urlOf = module => new URL(module, import.meta.url).href
const require = createRequire(import.meta.url)
const place = startupPlace()
const startup = place && role !== 'startup' ? readStartup() : null
let isKept = false
const load = module => startup ? startup.load(urlOf(module)) : import(urlOf(module))
// The debugger has its part on this thread loaded by it.
globalThis[Symbol.for('graft.load')] = module => startup ? startup.load(urlOf(module)) : require(module)
// Most processes of a kernel are ended, not left to end: what they compiled is kept while they rest.
if (role !== 'startup') for (const time of [1000, 10_000]) setTimeout(keep, time).unref()

if (role === 'startup') (await import('./startup.ts')).writeStartup(place.script, Object.values(modules).map(urlOf))
else {
  const module = await load(modules[role])
  if (role === 'kernel') await module.startKernel(process.argv[2], child)
}

/** Where the script of this kernel's modules is kept, beside what Node compiled (startup.ts); null where Node keeps nothing. */
function startupPlace() {
  if (!directory) return null
  let hash = 0
  for (const char of import.meta.url) hash = hash * 31 + char.codePointAt(0) | 0
  // What the variable names is the same for all; below it Node has a folder for each setting of V8's.
  const folder = join(process.env.NODE_COMPILE_CACHE || directory, `graft-${(hash >>> 0).toString(16)}-${process.version}`)
  return { script: join(folder, 'modules.js'), compiled: join(folder, `${role}.cache`) }
}

/** The script, if it was made of the sources as they are now. What V8 compiled of it belongs to the script whose name it begins with. */
function readStartup() {
  try {
    const text = readFileSync(place.script, 'latin1'), about = JSON.parse(text.slice(2, text.indexOf('\n')))
    if (about.node !== process.version || about.main !== import.meta.url) return null
    for (const [path, time] of about.files) if (statSync(path).mtimeMs !== time) return null
    let cachedData
    try {
      const compiled = readFileSync(place.compiled)
      if (compiled.toString('latin1', 0, about.made.length) === about.made) cachedData = compiled.subarray(about.made.length)
    } catch {
      // This is the first process with this script.
    }
    const script = new vm.Script(text, { filename: urlOf('./startup.ts'), cachedData, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER })
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
    if (startup && !startup.isCompiled && role !== 'thread') {
      const written = `${place.compiled}.${process.pid}`
      writeFileSync(written, Buffer.concat([Buffer.from(startup.made), compiledData()]))
      renameSync(written, place.compiled)
    } else if (!startup && role === 'kernel') {
      claim(`${place.script}.new`)
      const { Worker } = await import('node:worker_threads')
      new Worker(new URL(import.meta.url), { argv: ['--startup'] }).on('error', () => {}).unref()
    }
  } catch {
    // The folder takes no files, or another kernel is at it: the next start takes longer.
  }
}

/** Makes the file that the script is written to, so that of many kernels one writes it. One that a kernel left behind counts no more after a minute. */
function claim(path) {
  mkdirSync(dirname(path), { recursive: true })
  if (statSync(path, { throwIfNoEntry: false })?.mtimeMs < Date.now() - 60_000) rmSync(path)
  writeFileSync(path, '', { flag: 'wx' })
}

/** What V8 has compiled so far. It takes that only with the flags it had then, and the child sets one when its first cell comes (child.ts). */
function compiledData() {
  const hasFlag = role === 'child' && Number(process.versions.node.split('.')[0]) <= 25
  if (hasFlag) setFlagsFromString('--turboshaft-loop-unrolling')
  try {
    return startup.script.createCachedData()
  } finally {
    if (hasFlag) setFlagsFromString('--no-turboshaft-loop-unrolling')
  }
}
