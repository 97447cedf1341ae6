// What a kernel takes of the machine while it works: node bench/class/work.ts [PART OF A NAME]. The lessons' trunk, and an InceptionV3 in full size, which is made with
// Keras on the first run. Each in a kernel of its own; the most that its processes held at once, and what they hold when the cell is over.
import { join } from 'node:path'
import { KernelClient } from '../../cli/client.ts'
import { made } from '../../tests/fixtures/models/models.ts'
import { treeOf } from './memory.ts'

const notebooks = join(import.meta.dirname, '..', '..', 'notebooks')
const inception = JSON.stringify((await made('inception_v3_tf_keras')).folder)
const begin = (trunk: string) => `const base = await hub.load(${trunk})
const { readdirSync } = await import('node:fs')
const few = Object.fromEntries(readdirSync('images/digits/train').map(name => [name, readdirSync(\`images/digits/train/\${name}\`).slice(0, 4).map(file => \`images/digits/train/\${name}/\${file}\`)]))
const digits = await data.images(few, { size: base, validation: 0.2 })`
const work: Record<string, string> = {
  'a small cell': '1 + 1',
  'the first lesson\'s trunk, loaded': 'const base = await hub.load(\'models/mobilenet_v2_letters_feature_vector\')\nbase.predict(tf.zeros([1, 96, 96, 3]))',
  'the first lesson\'s head, trained': `${begin('\'models/mobilenet_v2_letters_feature_vector\'')}\nawait train(customize.extract(base, { classes: digits.classes }), digits, { epochs: 3 })`,
  'InceptionV3 in full size, a head trained': `${begin(inception)}\nawait train(customize.extract(base, { classes: digits.classes }), digits, { epochs: 3 })`,
  'InceptionV3 in full size, its last 5 layers with weights trained': `${begin(inception)}\nawait train(customize.fineTune(base, { classes: digits.classes, unfreeze: 5 }), digits, { epochs: 1 })`,
  'InceptionV3 in full size, all of it trained': `${begin(inception)}\nawait train(customize.fineTune(base, { classes: digits.classes, unfreeze: '*' }), digits, { epochs: 1 })`,
}
const megabytes = () => treeOf(process.pid).slice(1).reduce((sum, each) => sum + each.megabytes, 0)

for (const [name, code] of Object.entries(work).filter(([name]) => name.includes(process.argv[2] ?? ''))) {
  const kernel = await KernelClient.start(notebooks), wrong: string[] = []
  let most = 0
  const watch = setInterval(() => { most = Math.max(most, megabytes()) }, 250)
  await kernel.execute(code, ({ header, content }) => { if (header.msg_type === 'error') wrong.push(String(content.evalue)) })
  clearInterval(watch)
  console.log(`${name}: ${wrong.join() || `at most ${Math.max(most, megabytes()).toFixed()} MB, then ${megabytes().toFixed()} MB`}`)
  await kernel.close()
}
