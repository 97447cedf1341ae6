// Compiles the WebAssembly modules: `node lib/engine/wasm/build.js [folder]`. The results are committed, each beside its source; a
// test compiles them anew, into a folder of its own, and compares byte by byte.
import { readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const here = dirname(fileURLToPath(import.meta.url))

for (const source of [join(here, 'kernels.as.ts'), resolve(here, '../../data/pixels.as.ts')]) {
  const output = join(resolve(process.argv[2] ?? dirname(source)), basename(source).replace('.as.ts', '.wasm'))
  const { error, stderr } = await asc.main([
    basename(source), '--outFile', output, '--baseDir', dirname(source),
    '-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--importMemory',
  ])
  if (error) {
    process.stderr.write(`${stderr}`)
    process.exit(1)
  }
  if (holdsData(readFileSync(output))) {
    process.stderr.write(`${output} holds static data, which would overwrite what lies in the memory it is given\n`)
    process.exit(1)
  }
  process.stdout.write(`${output}: ${readFileSync(output).length} bytes\n`)
}

/** Whether a module has a data section: the modules work inside memory that is not theirs, so they must bring none. */
function holdsData(bytes) {
  const dataSection = 11
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at++]
    let size = 0, shift = 0, byte
    do {
      byte = bytes[at++]
      size |= (byte & 127) << shift
      shift += 7
    } while (byte & 128)
    if (id === dataSection) return true
    at += size
  }
  return false
}
