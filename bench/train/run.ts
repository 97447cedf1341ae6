// Training on the default engine against Keras 3, in turns on the same machine: node bench/train/run.ts [--rounds 7] [--size 96,224] [--work 'full step']
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { engine } from '../../lib/engine/index.ts'
import { works } from './graft.ts'

const { values } = parseArgs({ options: {
  rounds: { type: 'string', default: '7' }, size: { type: 'string', default: '96,224' }, work: { type: 'string', default: '' },
} })
const rounds = Number(values.rounds), sizes = values.size.split(',').map(Number)
const python = process.env.GRAFT_PYTHON ?? new URL('../../.graft/python-tests/bin/python', import.meta.url).pathname

const child = spawn(python, [new URL('with_keras.py', import.meta.url).pathname], { stdio: 'pipe' })
let complaint = ''
child.stderr.on('data', (text) => { complaint = (complaint + text).slice(-2000) })
child.on('error', (error) => {
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

async function keras(work: string, size: number): Promise<number> {
  child.stdin.write(`${JSON.stringify({ work, size })}\n`)
  return (await answer()).seconds
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const time = (seconds: number) => seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(1)} s`

console.log(`${engine()}\nMobileNetV2, Adam; ${version}; medians of ${rounds} rounds in turns; steps of 8 images, extraction of 128 images × 10 epochs\n`)
console.log('| work | size | Graft | Keras | Graft/Keras, each round |\n|---|---|---|---|---|')
for (const size of sizes) {
  for (const [work, run] of Object.entries(works).filter(([work]) => work.includes(values.work))) {
    const ours: number[] = [], theirs: number[] = []
    for (let round = 0; round < rounds; round++) {
      theirs.push(await keras(work, size))
      ours.push(await run(size))
    }
    const ratios = ours.map((seconds, i) => seconds / theirs[i])
    console.log(`| ${work} | ${size} | ${time(median(ours))} | ${time(median(theirs))} | **${median(ratios).toFixed(2)}** (${ratios.map((r) => r.toFixed(2)).join(', ')}) |`)
  }
}
child.stdin.end()
