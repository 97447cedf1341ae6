import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemOf } from './platforms.js'

/** The clone's folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
/** Where set-up keeps what is the machine's, not the project's. */
export const stateFolder = join(root, '.graft')
export const logFile = join(stateFolder, 'install.log')
export const venv = join(root, '.venv')
export const windows = process.platform === 'win32'

/** The Python of a virtual environment. */
export const pythonOf = (folder, platform = process.platform) => join(folder, systemOf(platform).venvPython)

const stateFile = join(stateFolder, 'state.json')

/** What earlier set-ups finished, as `{ step: fingerprint }`. */
export function readState() {
  try { return JSON.parse(readFileSync(stateFile, 'utf8')) } catch { return {} }
}

/** Notes that `step` is finished for `fingerprint`, or with `undefined` that it has begun; written whole or not at all. */
export function noteState(step, fingerprint) {
  const state = readState()
  if (fingerprint === undefined && !(step in state)) return
  mkdirSync(stateFolder, { recursive: true })
  writeFileSync(`${stateFile}.tmp`, JSON.stringify({ ...state, [step]: fingerprint }, null, 2))
  renameSync(`${stateFile}.tmp`, stateFile)
}

/** A fingerprint of files and words: a step is done again when it changes. */
export function fingerprint(files, ...words) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(existsSync(file) ? readFileSync(file) : '')
  return hash.update(words.join('\n')).digest('hex').slice(0, 16)
}
