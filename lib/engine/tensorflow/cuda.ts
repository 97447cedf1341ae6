import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Wheel } from './find.ts'

/** Whether TensorFlow can compute on an NVIDIA card here: without, in a sentence without its full stop, why not. */
export type Cuda = { ready: true } | { ready: false, without: string, card: boolean }

/**
 * Tells from files alone whether a wheel will find CUDA: an NVIDIA driver, a wheel that was built for it, and beside that one the
 * `nvidia-*` wheels of `tensorflow[and-cuda]`, whose libraries TensorFlow looks for in the folder `nvidia` next to its own.
 *
 * @param machine the root of the machine's files
 */
export function cudaFor(wheel: Wheel, machine = '/'): Cuda {
  const card = driver.some(path => existsSync(join(machine, path)))
  if (!card) return { ready: false, card, without: 'there is no NVIDIA driver here' }
  const beside = dirname(wheel.folder), names = readdirSync(beside)
  if (!names.includes(`tensorflow-${wheel.version}.dist-info`) || names.some(name => name.startsWith('tensorflow_cpu-'))) {
    const without = `the wheel in ${wheel.folder} is the one for processors alone; ${command(wheel)} brings the one for NVIDIA cards`
    return { ready: false, card, without }
  }
  const missing = wanted(join(beside, `tensorflow-${wheel.version}.dist-info`, 'METADATA'))
    .filter(name => !names.some(folder => folder.startsWith(`${name.replaceAll('-', '_')}-`) && folder.endsWith('.dist-info')))
  if (!missing.length) return { ready: true }
  const without = `beside the wheel in ${wheel.folder} there is no ${missing.join(', ')}; ${command(wheel)} brings them`
  return { ready: false, card, without }
}

/** Where NVIDIA's driver shows itself: on Linux, and under Windows's Linux. */
const driver = ['proc/driver/nvidia/version', 'dev/nvidiactl', 'usr/lib/wsl/lib/libcuda.so.1']

const command = ({ version }: Wheel) =>
  `pip install 'tensorflow[and-cuda]==${version}' in a virtual environment that GRAFT_TENSORFLOW names`

/** What the wheel's extra `and-cuda` asks for. */
function wanted(metadata: string): string[] {
  const text = existsSync(metadata) ? readFileSync(metadata, 'utf8') : ''
  return Array.from(text.matchAll(/^Requires-Dist: (nvidia-[\w-]+)[^;\n]*;\s*extra\s*==\s*["']and-cuda["']/gm), ([, name]) => name)
}
