import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GraftError } from '../lib/error.ts'

const usage = `graft install [--prefix DIR | --sys-prefix]           register the kernel in this user's Jupyter, or in another
graft install --engine onnxruntime                    add ONNX Runtime to a project that has the npm package
graft install --engine webgpu                         add what trains on a graphics card to such a project`

/** `graft install`: registers the kernel of this package or clone, or adds an engine to the project in this folder. */
export async function install(args: string[]): Promise<number> {
  const [flag, folder, ...more] = args
  if (flag === '--engine') {
    if (more.length || folder !== 'onnxruntime' && folder !== 'webgpu') fail(`--engine: expected onnxruntime or webgpu; received '${args.slice(1).join(' ')}'.`)
    return folder === 'webgpu' ? installWebGPU() : installOnnxRuntime()
  }
  const target =
    flag === '--prefix' && folder && !more.length
      ? { prefix: folder }
      : flag === '--sys-prefix' && !folder
        ? { sysPrefix: true }
        : !flag || (flag === '--user' && !folder)
          ? { user: true }
          : fail(`unknown: '${args.join(' ')}'.`)
  // Set-up is plain JavaScript, for any Node.
  const { dataFolder, register, widgetHint } = await import(new URL('../install/kernelspec.js', import.meta.url).href)
  try {
    const share = await dataFolder(target)
    console.log(`Kernel "TypeScript (Graft)" registered in ${register(share)}${widgetHint(share)}`)
    return 0
  } catch (error) {
    throw new GraftError((error as Error).message)
  }
}

/** What runs frozen parts several times faster, without the CUDA libraries that its install script would download. */
async function installOnnxRuntime(): Promise<number> {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'))
  const wanted = (manifest.peerDependencies ?? manifest.dependencies)['onnxruntime-node']
  return npmInstall({ 'onnxruntime-node': wanted }, { ONNXRUNTIME_NODE_INSTALL: 'skip' })
}

/** What trains on a graphics card: lib/engine/webgpu/find.ts finds it in the project's node_modules. */
async function installWebGPU(): Promise<number> {
  const { packages } = await import(new URL('../install/webgpu.js', import.meta.url).href)
  return npmInstall(packages, {})
}

async function npmInstall(packages: Record<string, string>, env: Record<string, string>): Promise<number> {
  const { npmCommand } = await import(new URL('../install/packages.js', import.meta.url).href)
  const [npm, ...first] = npmCommand() as string[], wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
  const { status } = spawnSync(npm, [...first, 'install', '--save-exact', ...wanted], { stdio: 'inherit', shell: npm.endsWith('.cmd'), env: { ...process.env, ...env } })
  return status === 0 ? 0 : fail(`npm could not install ${Object.keys(packages).join(' and ')}; what it said stands above.`)
}

function fail(what: string): never {
  throw new GraftError(`${what}\n\n${usage}`)
}
