// The kernel's entry: `node kernel/main.js <connection file>`. It starts the child by the same file, and the child its thread. In plain JavaScript, so that the cache of
// compiled code is on before the first TypeScript file is read.
import { enableCompileCache, flushCompileCache } from 'node:module'

enableCompileCache()
// Most processes of a kernel are ended, not left to end.
for (const time of [1000, 10_000]) setTimeout(flushCompileCache, time).unref()
// Jupyter's log is no place for Node's remarks on features that this kernel knows to be experimental.
const { emitWarning } = process
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
  if ((warning?.name ?? type) !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
}
if (process.argv[2] === '--child') await import('./child.ts')
else if (process.argv[2] === '--interrupt-thread') await import('./cell/interrupt-thread.ts')
else {
  // The process for the cells gets ready while this one does.
  const child = (await import('./child-spawn.js')).spawnChild()
  await (await import('./kernel.ts')).startKernel(process.argv[2], child)
}
