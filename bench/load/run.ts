// Opens full-size models in every layout, each in a fresh process, turn by turn with TensorFlow, and prints a table of it.
//
//     node bench/load/run.ts [rounds] [NAME…]
//
// Columns: the largest difference from TensorFlow's features relative to the largest feature; layers of one operation; loading
// and lifting, as a multiple of TensorFlow's own loading; from the start of the process to the first prediction, as a multiple of
// TensorFlow's; how far memory grew while loading, over the weights. Times are the least of the rounds.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { make, noTensorFlow } from '../../tests/fixtures/models/models.ts'

const MODELS: Record<string, string[]> = {
  MobileNetV2: ['mobilenet_v2_tf_keras', 'mobilenet_v2_keras3', 'mobilenet_v2_slim', 'mobilenet_v2_tf1'],
  InceptionV3: ['inception_v3_tf_keras', 'inception_v3_keras3', 'inception_v3_slim', 'inception_v3_tf1'],
  'ResNet50 V2': ['resnet50_v2_tf_keras', 'resnet50_v2_keras3', 'resnet_v2_50_slim', 'resnet_v2_50_tf1'],
}
const [rounds = '3', ...chosen] = process.argv.slice(2)
if (noTensorFlow) throw new Error(noTensorFlow)

const here = import.meta.dirname, root = join(here, '..', '..')
const cache = process.env.GRAFT_TEST_CACHE ?? join(root, '.graft', 'test-cache')
const python = process.env.GRAFT_PYTHON ?? join(root, '.graft', 'python-tests', 'bin', 'python')
/** Node keeps what it compiled, as the kernel has it do; Python always does. */
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, '.graft', 'compile-cache') }
const measure = (command: string, args: string[]) =>
  JSON.parse(execFileSync(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] }).toString()) as Record<string, number>
const graft = (prefix: string) =>
  measure(process.execPath, ['--disable-warning=ExperimentalWarning', '--expose-gc', join(here, 'graft.ts'), prefix])
const tensorflow = (prefix: string) => measure(python, [join(import.meta.dirname, 'with_tensorflow.py'), prefix])
const least = (runs: Record<string, number>[], key: string) => Math.min(...runs.map(run => run[key]))
const seconds = (runs: Record<string, number>[], key: string) => `${(least(runs, key) / 1000).toFixed(2)} s`
const mega = (bytes: number) => Math.round(bytes / 2 ** 20)

await make(Object.values(MODELS).flat().filter(name => !chosen.length || chosen.includes(name)))
const columns = [
  'architecture', 'layout', 'relative error', 'opaque layers', 'load + lift', '× TensorFlow', 'first prediction', '× TensorFlow',
  'memory, weights',
]
console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`)
for (const [architecture, names] of Object.entries(MODELS)) {
  for (const name of names) {
    if (chosen.length && !chosen.includes(name)) continue
    const prefix = join(cache, 'models', name), ours: Record<string, number>[] = [], theirs: Record<string, number>[] = []
    for (let round = 0; round < Number(rounds); round++) {
      ours.push(graft(prefix))
      theirs.push(tensorflow(prefix))
    }
    const [{ error, opaque, weights }] = ours, ratio = (key: string) => (least(ours, key) / least(theirs, key)).toFixed(2)
    console.log(`| ${[architecture, name.match(/(tf_keras|keras3|slim|tf1)$/)![0], error.toExponential(1), opaque,
      seconds(ours, 'loading'), ratio('loading'), seconds(ours, 'ready'), ratio('ready'),
      `${mega(least(ours, 'growth'))} MB, ${mega(weights)} MB`].join(' | ')} |`)
  }
}
