// Compiles the WebAssembly kernels: `node lib/engine/wasm/build.js [output.wasm]`. The result is committed; a test compiles it anew
// and compares byte by byte.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const here = dirname(fileURLToPath(import.meta.url))
const output = resolve(process.argv[2] ?? `${here}/kernels.wasm`)

const { error, stderr } = await asc.main([
  'kernels.as.ts', '--outFile', output, '--baseDir', here,
  '-O3', '--noAssert', '--enable', 'simd', '--runtime', 'stub', '--use', 'abort=', '--importMemory',
])
if (error) {
  process.stderr.write(`${stderr}`)
  process.exit(1)
}

// The module works inside the backend's memory, so it must bring no data of its own to write there.
const dataSection = 11
const bytes = readFileSync(output)
for (let at = 8; at < bytes.length;) {
  const id = bytes[at++]
  let size = 0, shift = 0, byte
  do {
    byte = bytes[at++]
    size |= (byte & 127) << shift
    shift += 7
  } while (byte & 128)
  if (id === dataSection) {
    process.stderr.write('the kernels hold static data, which would overwrite tensors\n')
    process.exit(1)
  }
  at += size
}
process.stdout.write(`${output}: ${bytes.length} bytes\n`)
