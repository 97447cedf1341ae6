// To be imported before the library: lets it compute by WebGPU, with a Vulkan driver that computes on the processor where there is one, so
// that the tests see the same numbers on every machine.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { koffi } from '../../../../../lib/engine/tensorflow/foreign.ts'
import { findWebGPU } from '../../../../../lib/engine/webgpu/find.ts'

const root = fileURLToPath(new URL('../../../../../', import.meta.url))

/** Chromium brings SwiftShader, and a loader for it. */
const chromium = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].find(folder => existsSync(join(folder, 'vk_swiftshader_icd.json')))

const packages = findWebGPU({ GRAFT_WEBGPU: root })

/** Why tests of the WebGPU engine are left out, or false where they run. */
export const withoutWebGPU = typeof packages === 'string' ? packages
  : process.env.VK_DRIVER_FILES || chromium ? false : 'no Vulkan driver that computes on the processor is here: Debian\'s chromium brings one'

/** Held, since it is unloaded with what holds it. */
export const loader = withoutWebGPU ? undefined : prepared()

function prepared() {
  process.env.GRAFT_WEBGPU = root
  process.env.GRAFT_ENGINE ||= 'webgpu'
  const driver = process.env.VK_DRIVER_FILES ??= join(chromium!, 'vk_swiftshader_icd.json')
  // The system's loader of Vulkan drivers, or the one beside the driver: once it is loaded, Dawn finds it by its name.
  try {
    return koffi.load('libvulkan.so.1', { global: true })
  } catch {
    return koffi.load(join(dirname(driver), 'libvulkan.so.1'), { global: true })
  }
}
