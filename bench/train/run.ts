// Training against Keras 3, in turns on the same machine, from the same weights in the same order:
// node bench/train/run.ts [--engine tensorflow|wasm] [--rounds 7] [--only 'full step'] [--soak 10000]
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '7' }, only: { type: 'string', default: '' }, engine: { type: 'string', default: 'tensorflow' }, soak: { type: 'string', default: '' },
} })
const rounds = Number(values.rounds)
const python = process.env.GRAFT_PYTHON ?? fileURLToPath(new URL('../../.graft/python-tests/bin/python', import.meta.url))
process.env.GRAFT_TENSORFLOW ??= dirname(dirname(python))
process.env.GRAFT_ENGINE = values.engine

const { engine } = await import('../../lib/engine/index.ts')
const { works } = await import('./graft.ts')
console.log(String(engine()))
if (values.soak) {
  const { soak } = await import('./soak.ts')
  await soak(Number(values.soak))
  process.exit()
}

/** A line of the table. The mark is the ratio to stay at or below; on WASM there are others than on TensorFlow. */
interface Line { title: string, work: string, family: string, size: number, tensorflow?: number, wasm?: number, more?: object, peer?: object }

const mobile = { family: 'MobileNetV2', size: 224 }, inception = { family: 'InceptionV3', size: 299 }, resnet = { family: 'ResNet50V2', size: 224 }
const lines: Line[] = [
  { title: 'full step', work: 'step', ...mobile, tensorflow: 0.7, wasm: 2.5 },
  { title: 'full step', work: 'step', ...mobile, size: 96 },
  { title: 'full step', work: 'step', ...inception, tensorflow: 0.9 },
  { title: 'full step', work: 'step', ...resnet, tensorflow: 0.9 },
  { title: 'head-only step', work: 'step', ...mobile, tensorflow: 0.8, more: { open_layers: 1 } },
  { title: 'head-only step', work: 'step', ...mobile, size: 96, more: { open_layers: 1 } },
  { title: 'to the end of the first step', work: 'first step', ...mobile, tensorflow: 0.1 },
  { title: 'extraction, features by hand in Keras too', work: 'workflow', ...mobile, tensorflow: 0.6, more: { open_layers: 1 }, peer: { by_hand: true } },
  { title: 'extraction', work: 'workflow', ...mobile, tensorflow: 0.1, wasm: 0.1, more: { open_layers: 1 } },
  { title: 'fine-tuning of the head', work: 'workflow', ...inception, wasm: 0.1, more: { open_layers: 1 } },
  { title: 'fine-tuning, last five layers with weights', work: 'workflow', ...inception, tensorflow: 0.2, more: { open_layers: 5 } },
  { title: 'fine-tuning, last 30 layers with weights', work: 'workflow', ...inception, tensorflow: 0.4, more: { open_layers: 30 } },
  { title: 'modification, a convolution on the last map', work: 'workflow', ...resnet, tensorflow: 0.1, wasm: 0.4, more: { open_layers: 2, change: true } },
  { title: 'predict 32 images', work: 'predict', ...mobile, tensorflow: 0.6, wasm: 0.6 },
  { title: 'predict 32 images', work: 'predict', ...inception, tensorflow: 0.95, wasm: 0.95 },
  { title: 'predict 32 images', work: 'predict', ...resnet, tensorflow: 0.95, wasm: 0.95 },
]

/** A Keras that answers one request after the other. */
async function keras() {
  const child = spawn(python, [fileURLToPath(new URL('with_keras.py', import.meta.url))], { stdio: 'pipe' })
  let complaint = ''
  child.stderr.on('data', text => { complaint = (complaint + text).slice(-2000) })
  child.on('error', error => {
    console.error(`no Python with Keras at ${python} (set GRAFT_PYTHON): ${error.message}`)
    process.exit(1)
  })
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const answer = async () => {
    const { value } = await answers.next()
    if (value === undefined) throw new Error(`the Python process ended:\n${complaint}`)
    return JSON.parse(value)
  }
  const { version } = await answer()
  return {
    version: version as string,
    ask(request: object): Promise<{ seconds: number, losses?: number[] }> {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      return answer()
    },
    end: () => child.stdin.end(),
  }
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const time = (seconds: number) => seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`

const peer = await keras(), scratch = mkdtempSync(join(tmpdir(), 'graft-bench-')), saved = new Set<string>()
console.log(`Adam; ${peer.version}; medians of ${rounds} rounds in turns; steps of 8 images, workflows of 128 images × 10 epochs in steps of 32\n`)
console.log('| work | network | Graft | Keras | Graft/Keras, each round | mark | losses apart |\n|---|---|---|---|---|---|---|')
for (const { title, work, family, size, more, peer: different, ...marks } of lines.filter(({ title, family, size }) => `${title} ${family} ${size}`.includes(values.only))) {
  const change = Boolean((more as { change?: boolean } | undefined)?.change), file = join(scratch, `${family}-${size}-${change}.h5`)
  if (!saved.has(file)) await peer.ask({ work: 'save', family, size, change, file })
  saved.add(file)
  const ours: number[] = [], theirs: number[] = []
  let apart = 0
  for (let round = 0; round < rounds; round++) {
    const request = { family, size, file, ...more }
    const their = await peer.ask({ work, ...request, ...different }), our = await works[work](request)
    theirs.push(their.seconds)
    ours.push(our.seconds)
    our.losses?.forEach((loss, epoch) => { apart = Math.max(apart, Math.abs(loss - (their.losses?.[epoch] ?? loss))) })
  }
  const ratios = ours.map((seconds, i) => seconds / theirs[i]), ratio = median(ratios), mark = marks[values.engine as 'wasm' | 'tensorflow']
  console.log(`| ${title} | ${family} ${size}² | ${time(median(ours))} | ${time(median(theirs))} | **${ratio.toFixed(2)}** (${ratios.map(r => r.toFixed(2)).join(', ')}) | ${
    mark ? `≤ ${mark} ${ratio <= mark ? 'met' : 'missed'}` : ''} | ${work === 'workflow' ? apart.toExponential(1) : ''} |`)
}
if (!values.only) {
  const [our, their] = [await works.memory({} as never), await peer.ask({ work: 'memory' })]
  console.log(`\nMost memory of each process, all of the above: Graft ${our.seconds.toFixed(2)} GiB, Keras ${their.seconds.toFixed(2)} GiB (${(our.seconds / their.seconds).toFixed(2)}).`)
}
peer.end()
rmSync(scratch, { recursive: true })
process.exit()
