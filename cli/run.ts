import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { GraftError } from '../lib/error.ts'
import { KernelClient } from './client.ts'
import { readNotebook, writeNotebook } from './notebook.ts'
import { Outputs } from './outputs.ts'
import { setParameters } from './parameters.ts'

export interface RunOptions {
  /** Where the executed copy goes. Default: beside the notebook, as `NAME.executed.ipynb`. */
  out?: string
  /** Values for the cell tagged `parameters`, `name=value` each. */
  parameters?: string[]
  /** Told of the error of the cell that ended the run. */
  onFailure?: (error: string) => void
}

/**
 * Executes a notebook in a kernel of its own, in the notebook's folder, and writes the executed copy after each cell, so that
 * a failure keeps what ran. Ctrl+C interrupts the cell and ends the run.
 *
 * @returns the exit code: 0 where every cell ran, 1 where one failed, 130 after Ctrl+C
 * @throws GraftError for a notebook or a parameter that cannot be used; nothing was run then
 * @example
 * await runNotebook('notebooks/1-feature-extraction.ipynb', { parameters: ['epochs=3'], out: 'out.ipynb' })
 */
export async function runNotebook(
  path: string,
  { out = `${path.replace(/\.ipynb$/, '')}.executed.ipynb`, parameters = [], onFailure }: RunOptions = {},
): Promise<number> {
  const notebook = readNotebook(path)
  setParameters(notebook, parameters)
  if (!existsSync(dirname(resolve(out)))) throw new GraftError(`no such folder for the executed notebook: ${dirname(out)}.`)
  const code = notebook.cells.filter(cell => cell.cell_type === 'code')
  for (const cell of code) Object.assign(cell, { outputs: [], execution_count: null })
  const client = await KernelClient.start(dirname(resolve(path))),
    outputs = new Outputs()
  let interrupted = false
  const stop = () => {
    interrupted = true
    client.interrupt()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  try {
    for (const [i, cell] of code.entries()) {
      if (!cell.source.trim()) continue
      console.log(`  cell ${i + 1} of ${code.length}: ${firstLine(cell.source)}`)
      const reply = await client.execute(cell.source, message => {
        outputs.take(cell.outputs, message)
        if (message.header.msg_type === 'execute_input') cell.execution_count = message.content.execution_count as number
      })
      writeNotebook(out, notebook)
      if (reply.status === 'ok' && !interrupted) continue
      if (!interrupted && cell.metadata.tags?.includes('raises-exception')) continue
      const error = [reply.traceback ?? []].flat().join('\n').replace(/\u001b\[[\d;]*m/g, '')
      console.error(`\n${error}\nStopped; what ran is in ${out}`)
      onFailure?.(interrupted ? 'it was interrupted' : error)
      return interrupted ? 130 : 1
    }
    writeNotebook(out, notebook)
    console.log(`\nExecuted: ${resolve(out)}`)
    return 0
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    await client.close()
  }
}

const firstLine = (source: string) => (source.split('\n').find(line => line.trim() && !line.startsWith('//')) ?? '').slice(0, 90)
