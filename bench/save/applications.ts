/**
 * Every network of `keras.applications`, saved by Keras 3 and by tf_keras in both their formats: read by Graft, saved again, and
 * opened by them. Writes the table of docs/keras-applications.md; fails where logits differ by more than 1e-5 of the largest.
 *
 *     node bench/save/applications.ts          (GRAFT_PYTHON names the Python with both; half an hour, 10 GB of disk for a while)
 *     node bench/save/applications.ts '^VGG'   only the networks whose name this finds; writes nothing
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { networks, roundTrip } from '../../tests/parity/save/families.ts'

const [only = ''] = process.argv.slice(2)
const rows: string[] = [], wrong: string[] = []
let ways: string[] = []
for (const name of (await networks()).filter(name => new RegExp(only).test(name))) {
  const folder = mkdtempSync(join(tmpdir(), 'graft-applications-')), start = performance.now()
  try {
    const { parameters, found } = await roundTrip(name, folder)
    ways = found.map(({ way }) => way)
    rows.push(`| ${name} | ${(parameters / 1e6).toFixed(1)} | ${found.map(({ error }) =>
      typeof error === 'number' ? error.toExponential(0) : 'no').join(' | ')} |`)
    for (const { way, error } of found) if (!(typeof error === 'number' && error <= 1e-5)) wrong.push(`${name}, ${way}: ${error}`)
  } catch (error) {
    wrong.push(`${name}: ${(error as Error).message}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
  console.log(`${rows.at(-1)}  ${((performance.now() - start) / 1000).toFixed(0)} s`)
}
if (wrong.length) throw new Error(`read or written otherwise than Keras does:\n${wrong.join('\n')}`)
if (!only) writeFileSync(new URL('../../docs/keras-applications.md', import.meta.url), `# Networks of Keras that are read

The ${rows.length} networks of \`keras.applications\` with ten classes, weights and statistics at random, as Keras 3 and tf_keras
save them. Reader ← format; numbers: the largest difference of two images' logits, as a part of the largest. Made by
\`node bench/save/applications.ts\`.

| network | million weights | ${ways.join(' | ')} |
|---|---|${ways.map(() => '---|').join('')}
${rows.join('\n')}
`)
