// What transfer learning is worth, by number of images: test accuracy from scratch, by extraction and by fine-tuning, on images near to
// what the trunk was pretrained on (digits; it saw letters) and far from it (textures). Every training has the same number of steps.
// What was measured is kept in table.jsonl beside this file, so that the same command goes on where it was cut off; without that file it
// begins anew. The table goes to docs/transfer-learning.md.
//   node bench/transfer/table.ts [seeds=5] [sets=digits,textures] [images per class=2,5,20]
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { customize, data, hub, predict, train } from '../../lib/index.ts'
import { randomFrom, shuffled } from '../../lib/data/random.ts'
import type { ImageSet } from '../../lib/data/set.ts'

process.env.GRAFT_RUNS = 'off'
const [seeds = '5', sets = 'digits,textures', amounts = '2,5,20'] = process.argv.slice(2)
const notebooks = join(import.meta.dirname, '..', '..', 'notebooks'), batch = 16, steps = 130
const kept = join(import.meta.dirname, 'table.jsonl'), page = join(import.meta.dirname, '..', '..', 'docs', 'transfer-learning.md')

type Base = Awaited<ReturnType<typeof hub.load>>
interface Measured { set: string, perClass: number, method: string, seed: number, accuracy: number }

/** So many images of each class, drawn by the seed. */
function some(set: ImageSet, perClass: number, seed: number): ImageSet {
  const order = shuffled(Array.from(set.labels.keys()), randomFrom(seed, 'some')), taken = new Array<number>(set.classes.length).fill(0)
  return set.pick(order.filter(i => taken[set.labels[i]]++ < perClass).sort((a, b) => a - b))
}

const methods = {
  async 'from scratch'(base: Base, classes: string[], seed: number) {
    return { model: await customize.scratch(customize.extract(base, { classes, seed, show: false }), { seed }), learningRate: 1e-3 }
  },
  async extraction(base: Base, classes: string[], seed: number) {
    return { model: customize.extract(base, { classes, seed, show: false }), learningRate: 1e-2 }
  },
  async 'fine-tuning'(base: Base, classes: string[], seed: number) {
    const model = customize.fineTune(base, { classes, seed, unfreeze: 'last 3 blocks', normalization: 'stored', show: false })
    return { model, learningRate: { trunk: 1e-4, head: 1e-2 } }
  },
}

async function accuracy(set: string, perClass: number, method: keyof typeof methods, seed: number): Promise<number> {
  const base = await hub.load(join(notebooks, 'models', 'mobilenet_v2_letters_feature_vector'), { fresh: true })
  const images = await data.images(join(notebooks, 'images', set), { size: base })
  const few = some(images.train, perClass, seed), { model, learningRate } = await methods[method](base, images.classes, seed)
  const epochs = Math.ceil(steps / Math.ceil(few.length / batch))
  await train(model, few, { epochs, batch, learningRate, seed, show: false })
  return (await predict(model, images.test)).accuracy!
}

const known: Measured[] = existsSync(kept) ? readFileSync(kept, 'utf8').trim().split('\n').map(line => JSON.parse(line)) : []
const lines = [`| images | per class | ${Object.keys(methods).join(' | ')} |`, '|---|---|---|---|---|']
console.log(lines.join('\n'))
for (const set of sets.split(',')) {
  for (const perClass of amounts.split(',').map(Number)) {
    const cells: string[] = []
    for (const method of Object.keys(methods) as (keyof typeof methods)[]) {
      const found: number[] = []
      for (let seed = 1; seed <= Number(seeds); seed++) {
        const one = { set, perClass, method, seed }
        const before = known.find(other => Object.entries(one).every(([key, value]) => other[key as keyof Measured] === value))
        found.push(before?.accuracy ?? await accuracy(set, perClass, method, seed))
        if (!before) appendFileSync(kept, `${JSON.stringify({ ...one, accuracy: found.at(-1) })}\n`)
      }
      const percent = (x: number) => (100 * x).toFixed(0)
      cells.push(`${percent(found.reduce((a, b) => a + b) / found.length)} % (${percent(Math.min(...found))}–${percent(Math.max(...found))})`)
    }
    lines.push(`| ${set} | ${perClass} | ${cells.join(' | ')} |`)
    console.log(lines.at(-1))
  }
}
writeFileSync(page, readFileSync(page, 'utf8').replace(/(^\|.*\n)+/m, `${lines.join('\n')}\n`))
