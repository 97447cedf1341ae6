/**
 * Networks of `keras.applications`, saved by Keras 3 and by tf_keras in both their formats: read by Graft, saved again, and opened
 * by them. What is found is kept in applications.json beside this file, network by network, and docs/keras-applications.md is
 * written from that; fails where logits differ by more than 1e-5 of the largest.
 *
 *     node bench/save/applications.ts          all forty (GRAFT_PYTHON names the Python with both; an hour, 10 GB of disk for a while)
 *     node bench/save/applications.ts '^VGG'   those whose name this finds
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finding, networks, roundTrip } from '../../tests/parity/save/families.ts'

interface Network { name: string, parameters: number, found: Finding[] }

const [only = ''] = process.argv.slice(2), kept = new URL('./applications.json', import.meta.url)
const all = await networks(), wrong: string[] = []
for (const name of all.filter(name => new RegExp(only).test(name))) {
  const folder = mkdtempSync(join(tmpdir(), 'graft-applications-')), start = performance.now()
  try {
    const { parameters, found } = await roundTrip(name, folder)
    keep({ name, parameters, found })
    for (const { way, error } of found) if (!(typeof error === 'number' && error <= 1e-5)) wrong.push(`${name}, ${way}: ${error}`)
    console.log(`${row({ name, parameters, found })} ${((performance.now() - start) / 1000).toFixed(0)} s`)
  } catch (error) {
    wrong.push(`${name}: ${(error as Error).message}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
if (wrong.length) throw new Error(`read or written otherwise than Keras does:\n${wrong.join('\n')}`)

function keep(network: Network): void {
  const before = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) as Network[] : []
  const known = [...before.filter(({ name }) => name !== network.name), network].sort((a, b) => a.name < b.name ? -1 : 1)
  writeFileSync(kept, `[\n${known.map(each => JSON.stringify(each)).join(',\n')}\n]\n`)
  writeFileSync(new URL('../../docs/keras-applications.md', import.meta.url), page(known))
}

function row({ name, parameters, found }: Network): string {
  const errors = found.map(({ error }) => typeof error === 'number' ? error.toExponential(0).replace('0e+0', '0') : 'refused')
  return `| ${name} | ${(parameters / 1e6).toFixed(1)} | ${errors.join(' | ')} |`
}

function page(known: Network[]): string {
  const [{ found }] = known
  return `# Networks of Keras that are read

The networks of \`keras.applications\` that were measured, ${known.length} of ${all.length}, with ten classes, weights and statistics at random, as Keras 3
and tf_keras save them. Reader ← format; numbers: the largest difference of two images' logits, as a part of the largest. Made by
\`node bench/save/applications.ts\`, which takes all or those it is told, and fails where a difference is above 1e-5.

| network | million weights | ${found.map(({ way }) => way).join(' | ')} |
|---|---|${found.map(() => '---|').join('')}
${known.map(row).join('\n')}
`
}
