import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d']
const libraries = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib/wsl/lib']

/**
 * Containers bring NVIDIA's driver often without the file that tells Vulkan of it; then one is written, and named to the processes that
 * follow. Returns what was found, in words.
 */
export function prepareVulkan(): string {
  if (process.platform !== 'linux') return process.platform
  if (process.env.VK_DRIVER_FILES) return `VK_DRIVER_FILES=${process.env.VK_DRIVER_FILES}`
  const nvidia = libraries.map(folder => join(folder, 'libGLX_nvidia.so.0')).find(path => existsSync(path))
  const told = folders.map(folder => join(folder, 'nvidia_icd.json')).find(path => existsSync(path))
  if (told) return told
  if (!nvidia && existsSync('/dev/nvidiactl')) return 'the NVIDIA card\'s is missing: the container lacks the capability "graphics"'
  if (!nvidia) return 'the system\'s'
  const file = join(mkdtempSync(join(tmpdir(), 'graft-vulkan-')), 'nvidia_icd.json')
  writeFileSync(file, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: nvidia, api_version: '1.3.0' } }))
  process.env.VK_DRIVER_FILES = file
  return `${nvidia}, told of by a file made here`
}
