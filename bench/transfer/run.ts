// Test accuracy over five seeds: extraction with the bundled trunk against the same network trained from scratch.
//   node bench/transfer/run.ts [digits|textures]
import { transfer, type Transfer } from './transfer.ts'

const set = process.argv[2] === 'textures' ? 'textures' : 'digits'
const percent = (x: number) => `${(100 * x).toFixed(1)} %`.padStart(10)
console.log(`${set}: test accuracy after 10 epochs\nseed  extraction  from scratch`)
const all: Transfer[] = []
for await (const one of transfer(set, [1, 2, 3, 4, 5])) {
  all.push(one)
  console.log(`${String(one.seed).padStart(4)}  ${percent(one.extraction)}  ${percent(one.scratch)}`)
}
const mean = (key: 'extraction' | 'scratch') => all.reduce((sum, one) => sum + one[key], 0) / all.length
console.log(`mean  ${percent(mean('extraction'))}  ${percent(mean('scratch'))}`)
