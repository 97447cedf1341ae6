/**
 * Which layers of Keras 3 `load` computes alike, and which it refuses: one model for each, saved by Keras. Writes
 * docs/keras-layers.md; fails where a layer is loaded and computes something else.
 *
 *     node bench/save/layers.ts            (GRAFT_PYTHON names the Python with Keras; half a minute)
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@tensorflow/tfjs'
import { load } from '../../lib/save/index.ts'
import { tf } from '../../lib/tf.ts'

interface Case { title: string; inputs: { shape: number[]; values: number[] }[]; output: number[] }

const python = process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python'
const folder = mkdtempSync(join(tmpdir(), 'graft-layers-'))
const alike: string[] = [], refused: [title: string, why: string][] = [], wrong: string[] = []
let furthest = 0
try {
  execFileSync(python, [new URL('./layers.py', import.meta.url).pathname, folder], { stdio: 'ignore' })
  const { version, cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { version: string, cases: Case[] }
  for (const [number, { title, inputs, output }] of cases.entries()) {
    const path = join(folder, `${number}.keras`)
    const model = await load(path).catch((error: Error) => {
      const why = error.message.replace(`cannot load ${path}: `, '').replace(/^layer '[^']*' (\([^)]*\) )?/, '')
        .replace(/^cannot be computed here: /, '').replace(/,? which (cannot be computed|no layer computes) here.*/, '')
      refused.push([title, why])
    })
    if (!model) continue
    const given = inputs.map(({ shape, values }) => tf.tensor(values, shape))
    const values = (model.predict(given.length > 1 ? given : given[0]) as Tensor).dataSync()
    const largest = output.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
    const error = output.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i])), 0) / largest
    if (!(error <= 2e-6) || values.length !== output.length) wrong.push(`${title}: ${error}`)
    alike.push(title)
    furthest = Math.max(furthest, error)
    model.dispose()
  }
  if (wrong.length) throw new Error(`loaded, and computed otherwise than in Keras:\n${wrong.join('\n')}`)
  const row = ([title, why]: [string, string]) => `| \`${title}\` | ${why.replaceAll('|', '\\|')} |`
  writeFileSync(new URL('../../docs/keras-layers.md', import.meta.url), `# Layers of Keras that are read

${cases.length} models of one layer or operation each, saved by Keras ${version} as \`.keras\`, and read by \`load\`:
${alike.length} compute the same (the largest difference is ${furthest.toExponential(0)} of the largest output),
${refused.length} are refused in one sentence that names the layer. None computes something else. Made by \`node bench/save/layers.ts\`, which fails
where one does. A layer set to compute in half precision is computed in float32.

## Read

${alike.map(title => `\`${title}\``).join(', ')}.

## Refused

| layer | why |
|---|---|
${refused.map(row).join('\n')}
`)
  console.log(`${alike.length} alike (within ${furthest.toExponential(1)}), ${refused.length} refused`)
} finally {
  rmSync(folder, { recursive: true })
}
