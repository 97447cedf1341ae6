import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pythonOf, root, venv } from '../../install/place.js'

/** An output of a cell, as nbformat keeps it. */
export interface Output { output_type: string, data?: Record<string, string | string[]>, text?: string | string[], ename?: string, evalue?: string, traceback?: string[] }
/** What executing a notebook left. */
export interface Executed { status: number, stderr: string, cells: { source: string, outputs: Output[] }[], folder: string }

export const joined = (text: string | string[] | undefined): string => [text ?? ''].flat().join('')
/** All that a cell shows, as text. */
export const textOf = (outputs: Output[]): string => outputs.map(one => joined(one.text) + joined(one.data?.['text/plain']) + (one.evalue ?? '')).join('\n')

/**
 * A copy of the notebooks' folder, so that what they save does not land in the clone. Images and models are links.
 */
export function notebookFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'graft-notebooks-'))
  for (const name of ['images', 'models', 'exercises.ts']) symlinkSync(join(root, 'notebooks', name), join(folder, name))
  return folder
}

/** Some of the bundled digits: so many a class for training, half as many for testing. */
export function fewImages(folder: string, count: number): void {
  for (const [part, size] of [['train', count], ['test', Math.ceil(count / 2)]] as const) {
    for (const digit of readdirSync(join(root, 'notebooks', 'images', 'digits', part))) {
      mkdirSync(join(folder, part, digit), { recursive: true })
      const from = join(root, 'notebooks', 'images', 'digits', part, digit)
      for (const name of readdirSync(from).slice(0, size)) cpSync(join(from, name), join(folder, part, digit, name))
    }
  }
}

/** Executes a notebook of the project as `node install.js --run` does. `parameters` are `name=value`. */
export async function execute(name: string, parameters: string[] = [], env: Record<string, string> = {}, folder = notebookFolder()): Promise<Executed> {
  cpSync(join(root, 'notebooks', name), join(folder, name))
  const out = join(folder, 'executed.ipynb')
  const args = [join(root, 'install', 'execute.py'), join(folder, name), out, ...parameters]
  const { status, stderr } = await new Promise<{ status: number, stderr: string }>(resolve => {
    const child = execFile(pythonOf(venv), args, { env: { ...process.env, JUPYTER_PREFER_ENV_PATH: '1', ...env }, maxBuffer: 2 ** 26 },
      (_error, _stdout, stderr) => resolve({ status: child.exitCode ?? -1, stderr }))
  })
  const cells = existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')).cells.filter((cell: any) => cell.cell_type === 'code') : []
  return { status, stderr, folder, cells: cells.map((cell: any) => ({ source: joined(cell.source), outputs: cell.outputs })) }
}
