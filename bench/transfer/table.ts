// What transfer learning is worth, by number of images: test accuracy from scratch, by extraction and by fine-tuning, on images near to what
// the trunk was pretrained on (digits; it saw letters) and far from it (textures). Every training has the same number of steps.
//   node bench/transfer/table.ts [seeds=5] [sets=digits,textures] [images per class=2,5,20]
import { join } from 'node:path'
import { customize, data, hub, predict, train } from '../../lib/index.ts'
import { randomFrom, shuffled } from '../../lib/data/random.ts'
import type { ImageSet } from '../../lib/data/set.ts'

process.env.GRAFT_RUNS = 'off'
const [seeds = '5', sets = 'digits,textures', amounts = '2,5,20'] = process.argv.slice(2)
const notebooks = join(import.meta.dirname, '..', '..', 'notebooks'), batch = 16, steps = 130

/** So many images of each class, drawn by the seed. */
function some(set: ImageSet, perClass: number, seed: number): ImageSet {
  const order = shuffled(Array.from(set.labels.keys()), randomFrom(seed, 'some')), taken = new Array<number>(set.classes.length).fill(0)
  return set.pick(order.filter(i => taken[set.labels[i]]++ < perClass).sort((a, b) => a - b))
}

const methods = {
  async scratch(base: Awaited<ReturnType<typeof hub.load>>, classes: string[], seed: number) {
    return { model: await customize.scratch(customize.extract(base, { classes, seed, show: false }), { seed }), learningRate: 1e-3 }
  },
  async extraction(base: Awaited<ReturnType<typeof hub.load>>, classes: string[], seed: number) {
    return { model: customize.extract(base, { classes, seed, show: false }), learningRate: 1e-2 }
  },
  async 'fine-tuning'(base: Awaited<ReturnType<typeof hub.load>>, classes: string[], seed: number) {
    const model = customize.fineTune(base, { classes, seed, unfreeze: 'last 3 blocks', normalization: 'stored', show: false })
    return { model, learningRate: { trunk: 1e-4, head: 1e-2 } }
  },
}

console.log(`test accuracy, mean of ${seeds} seeds (lowest to highest); ${steps} steps of ${batch} images each`)
console.log('| images | per class | from scratch | extraction | fine-tuning |\n|---|---|---|---|---|')
for (const set of sets.split(',')) {
  for (const perClass of amounts.split(',').map(Number)) {
    const cells: string[] = []
    for (const make of Object.values(methods)) {
      const found: number[] = []
      for (let seed = 1; seed <= Number(seeds); seed++) {
        const base = await hub.load(join(notebooks, 'models', 'mobilenet_v2_letters_feature_vector'), { fresh: true })
        const images = await data.images(join(notebooks, 'images', set), { size: base })
        const few = some(images.train, perClass, seed), { model, learningRate } = await make(base, images.classes, seed)
        await train(model, few, { epochs: Math.ceil(steps / Math.ceil(few.length / batch)), batch, learningRate, seed, show: false })
        found.push((await predict(model, images.test)).accuracy!)
      }
      const percent = (x: number) => (100 * x).toFixed(0)
      cells.push(`${percent(found.reduce((a, b) => a + b) / found.length)} % (${percent(Math.min(...found))}–${percent(Math.max(...found))})`)
    }
    console.log(`| ${set} | ${perClass} | ${cells.join(' | ')} |`)
  }
}
