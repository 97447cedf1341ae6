import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Puts a folder back in its place that stepped aside while another was to take it, and that a process killed just then left
 * under its hidden name; removes one that was replaced.
 */
export async function putBack(target: string): Promise<void> {
  const parent = dirname(target), hidden = `.${basename(target)}.`
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(hidden) || !/^[0-9a-f]{8}\.old$/.test(name.slice(hidden.length))) continue
    const there = await stat(target).then(() => true, () => false)
    await (there ? rm(join(parent, name), { recursive: true, force: true }) : rename(join(parent, name), target)).catch(() => {})
  }
}
