import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { mayWrite } from './home.js'
import { dataFolder, registeredIn, unregister } from './kernelspec.js'
import { removeTranslator } from './papermill.js'
import { root, stateFolder, venv } from './place.js'
import { sizeOf } from './prune.js'

/** Where the library and the kernel keep things when no variable says otherwise. */
export function keptFolders(env = process.env) {
  const cache = join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'graft'), state = join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'graft')
  return { cache, state, runs: join(state, 'runs') }
}

/**
 * Removes what set-up and the kernel have put anywhere: `.venv`, `node_modules`, `.graft`, the kernelspecs that lead here, caches and
 * history. Training runs are one's own work: they stay, and are named, unless `runs` says to remove them. Folders that a variable
 * names (`GRAFT_CACHE_DIR`, …) are left alone.
 */
export async function uninstall(options) {
  const { cache, state, runs } = keptFolders()
  const shares = new Set([...registeredIn(), ...options.prefix || options.sysPrefix ? [await dataFolder(options)] : []])
  for (const share of shares) {
    if (!mayWrite(share) || !unregister(share)) continue
    removeTranslator(dirname(dirname(share)))
    remove(join(share, 'kernels', 'graft'))
    console.log(`  ✓ kernel removed from ${share}`)
  }
  // A clone that a class shares is its owner's to remove.
  const isOwn = mayWrite(root), own = isOwn ? [venv, join(root, 'node_modules'), stateFolder] : []
  for (const folder of [...own, cache]) remove(folder)
  const keepsRuns = !options.runs && existsSync(runs) && readdirSync(runs).length > 0
  if (!keepsRuns) remove(state)
  else for (const name of readdirSync(state)) if (name !== 'runs') remove(join(state, name))
  console.log(`  ✓ ${isOwn ? '.venv, node_modules, .graft, ' : ''}${cache} and the history removed. Notebooks and saved models are untouched.`)
  if (!isOwn) console.log(`  · ${root} may not be written: its owner removes the rest`)
  if (keepsRuns) console.log(`  · training runs stay: ${runs}, ${Math.ceil(sizeOf(runs) / 1e6)} MB; node install.js --uninstall --runs removes them`)
}

/** Removes a folder, and those above it that are empty then and were made for it. */
function remove(path) {
  rmSync(path, { recursive: true, force: true })
  for (let above = dirname(path); above !== homedir() && above.startsWith(homedir()) && !above.startsWith(root); above = dirname(above)) {
    try { rmdirSync(above) } catch { return }
  }
}
