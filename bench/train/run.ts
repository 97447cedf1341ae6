// Training against Keras 3, in turns on the same machine, from the same weights in the same order. Prints a table and writes it
// to results/DATE-ENGINE.md; where GRAFT_TORCH names a Python with torch and torchvision, steps are measured in PyTorch too.
//   node bench/train/run.ts [--engine tensorflow|wasm] [--part steps] [--only 'full step MobileNetV2 224'] [--rounds 7]
//   node bench/train/run.ts --soak 10000
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lines, parts, type Line, type Part } from './lines.ts'
import { peerOf, type Peer } from './peer.ts'
import { Table } from './table.ts'

const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '7' }, only: { type: 'string', default: '' }, part: { type: 'string' },
  engine: { type: 'string', default: 'tensorflow' }, soak: { type: 'string', default: '' },
} })
const rounds = Number(values.rounds), name = values.engine as 'wasm' | 'tensorflow'
if (values.part !== undefined && !parts.includes(values.part as Part)) {
  console.error(`--part: expected one of ${parts.join(', ')}; received ${values.part}`)
  process.exit(1)
}
const python = process.env.GRAFT_PYTHON ?? fileURLToPath(new URL('../../.graft/python-tests/bin/python', import.meta.url))
process.env.GRAFT_TENSORFLOW ??= dirname(dirname(python))
process.env.GRAFT_ENGINE = name


const { engine } = await import('../../lib/engine/index.ts')
const { works } = await import('./graft.ts')
if (values.soak) {
  const { soak } = await import('./soak.ts')
  console.log(String(engine()))
  await soak(Number(values.soak))
  process.exit()
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const time = (seconds: number) => (seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`)
const memory = (gibibytes: number) => `${gibibytes.toFixed(2)} GiB`

const scratch = mkdtempSync(join(tmpdir(), 'graft-bench-')), saved = new Set<string>()
const keras = await peerOf(python, 'with_keras.py')
const torch = process.env.GRAFT_TORCH ? await peerOf(process.env.GRAFT_TORCH, 'with_torch.py') : null
const versions = [keras, torch].filter(peer => peer !== null).map(({ version }) => version)
const table = new Table(name, [
  `${engine()} ${availableParallelism()} cores; Adam; ${versions.join(', ')}.`,
  'Medians of rounds in turns; steps of 8 images, workflows of 128 images × 10 epochs in steps of 32.',
])

/** The network of a line, as Keras saves it, with random weights. */
async function fileOf({ family, size, more }: Line): Promise<string> {
  const change = Boolean(more?.change), file = join(scratch, `${family}-${size}-${change}.h5`)
  if (!saved.has(file)) await keras.ask({ work: 'save', family, size, change, file })
  saved.add(file)
  return file
}

/** One round of a line on both sides; a peer's memory is taken in a process of its own. */
async function round(line: Line, file: string) {
  const { work, family, size, more, peer } = line, request = { family, size, file, ...more }
  if (work !== 'memory') return { their: await keras.ask({ work, ...request, ...peer }), our: await works[work](request) }
  const alone: Peer = await peerOf(python, 'with_keras.py')
  await alone.ask({ work: 'step', ...request })
  const their = await alone.ask({ work })
  alone.end()
  const ours = await peerOf(process.execPath, 'alone.ts'), our = await ours.ask(request)
  ours.end()
  return { their, our }
}

async function measure(line: Line): Promise<void> {
  const { title, work, family, size } = line, mark = line[name], file = await fileOf(line)
  const ours: number[] = [], theirs: number[] = [], third: number[] = []
  let apart = 0
  for (let n = 0; n < rounds; n++) {
    const { our, their } = await round(line, file)
    ours.push(our.seconds)
    theirs.push(their.seconds)
    our.losses?.forEach((loss, epoch) => { apart = Math.max(apart, Math.abs(loss - (their.losses?.[epoch] ?? loss))) })
    if (torch && work.endsWith('step')) third.push((await torch.ask({ work, family, size, ...line.more })).seconds)
  }
  const ratios = ours.map((seconds, i) => seconds / theirs[i]), ratio = median(ratios), words = work === 'memory' ? memory : time
  table.add([
    title, `${family} ${size}²`, words(median(ours)), words(median(theirs)),
    `**${ratio.toFixed(2)}** (${ratios.map(each => each.toFixed(2)).join(', ')})`,
    mark ? `≤ ${mark} ${ratio <= mark ? 'met' : 'missed'}` : '', work === 'workflow' ? apart.toExponential(1) : '',
    third.length ? time(median(third)) : '',
  ])
}

for (const line of lines) {
  if (values.part !== undefined && line.part !== values.part) continue
  if (`${line.title} ${line.family} ${line.size}`.includes(values.only)) await measure(line)
}
keras.end()
torch?.end()
rmSync(scratch, { recursive: true })
process.exit()
