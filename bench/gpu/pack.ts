// Packs what `bench/gpu/run.ts` needs on a bare Linux machine with a card and without network: Node, the modules and Vulkan's loader.
//   node bench/gpu/pack.ts [LOADER]     LOADER: libvulkan.so.1, where the system has none of its own (Debian's libvulkan1, or Chromium's)
// It makes .graft/gpu.tar.xz. There, in the folder of a checkout: see what this prints at its end.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { kernelNode } from '../../install/node.js'
import { root, stateFolder } from '../../install/place.js'

/** What a machine is lent for: so much may be carried there. */
const most = 64 * 2 ** 20

const loaders = ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'chromium'].map(folder => `/usr/lib/${folder}/libvulkan.so.1`)
const loader = [process.argv[2], ...loaders].find(path => path && existsSync(path))
if (!loader) throw new Error('no libvulkan.so.1 here: name one')

/** Packages that are neither for tests nor for editors and compilers, and the two of the engine. */
function modules(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { dev?: boolean }> }
  const engine = /^node_modules\/(webgpu|@tensorflow\/tfjs-backend-webgpu)$/
  const useless = /node_modules\/(@?typescript|@types|core-js|zeromq|cmake-ts|@oxc|oxc-|ml-|umap)/
  return Object.entries(packages).filter(([path, { dev }]) => path && (!dev || engine.test(path)) && !useless.test(path))
    .map(([path]) => path).filter(path => existsSync(join(root, path)))
}

const folder = join(stateFolder, 'gpu'), archive = join(stateFolder, 'gpu.tar.xz')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
copyFileSync(loader, join(folder, 'libvulkan.so.1'))
copyFileSync(kernelNode(), join(folder, 'node'))
// Of TensorFlow.js Node loads one file of each package; of what a set-up leaves, the rest is for browsers.
const without = ['*.map', '*.d.ts', '*.min.js', '*.fesm.js', '*.es2017.js', 'miniprogram', '*.ts'].map(pattern => `--exclude=${pattern}`)
execFileSync('tar', ['-C', root, '-I', 'xz -6 -T2', ...without, '-cf', archive, '.graft/gpu', ...modules()], { stdio: 'inherit' })
rmSync(folder, { recursive: true })
const { size } = statSync(archive)
console.log(`${archive}: ${(size / 2 ** 20).toFixed(1)} MiB${size > most ? `, more than the ${most / 2 ** 20} that may be carried` : ''}
There: tar xJf .graft/gpu.tar.xz && LD_LIBRARY_PATH=.graft/gpu .graft/gpu/node bench/gpu/run.ts`)
process.exitCode = size > most ? 1 : 0
