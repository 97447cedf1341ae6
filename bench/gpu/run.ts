// A graphics card through WebGPU: is it right, and how fast is it? Needs no network. Prints a table and writes it to results/DATE-ADAPTER.md.
//   node bench/gpu/run.ts [--side 224] [--batch 32] [--rounds 7] [--images 128] [--epochs 10] [--skip workflows,stock,notebooks]
// GRAFT_TORCH names a Python with torch and torchvision, to measure beside. `node bench/gpu/pack.ts` packs what it needs for a bare machine.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareVulkan } from './vulkan.ts'

const { values } = parseArgs({ options: {
  side: { type: 'string', default: '224' }, batch: { type: 'string', default: '32' }, rounds: { type: 'string', default: '7' },
  images: { type: 'string', default: '128' }, epochs: { type: 'string', default: '10' }, skip: { type: 'string', default: '' },
} })
const skipped = values.skip.split(','), folder = import.meta.dirname, root = join(folder, '..', '..')
const driver = prepareVulkan()
process.env.GRAFT_WEBGPU ??= root
Object.assign(process.env, { GRAFT_ENGINE: 'webgpu', GRAFT_TENSORFLOW: tmpdir(), GRAFT_RUNS: 'off' })

const { engine } = await import('../../lib/engine/index.ts'), { webGPU } = await import('../../lib/engine/start.ts')
const { tf } = await import('../../lib/tf.ts'), { gradientsOf, nets } = await import('../../tests/unit/lib/engine/nets.ts')
const { difference } = await import('../../tests/unit/lib/engine/numbers.ts')
const { forwards } = await import('./frozen.ts')
const { facts, device } = webGPU()!, mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
const lines: string[] = [
  `# ${facts.name}${facts.software ? ', a processor that plays a graphics card: what is right is seen here, what is fast is not' : ''}`, '',
  `${new Date().toISOString().slice(0, 16)}Z, Node ${process.versions.node}, ${engine().name}; driver: ${driver}; `
    + `tensors of at most ${mebibytes(device.limits.maxStorageBufferBindingSize)}.`, '',
  '| what | WebGPU | beside it | ratio or difference |', '|---|---|---|---|',
]
console.log(lines.join('\n'))
const add = (...cells: string[]) => {
  lines.push(`| ${cells.join(' | ')} |`)
  console.log(lines.at(-1))
}
const ms = (number: number) => `${number.toFixed(number < 10 ? 2 : 0)} ms`

/** What a script of this folder prints as JSON on an engine; a text says why it did not. */
function asked<T>(script: string, args: string[], name: 'webgpu' | 'wasm' = 'webgpu'): T | string {
  const command = [...process.execArgv, '--disable-warning=ExperimentalWarning', join(folder, script), ...args]
  const env = { ...process.env, GRAFT_ENGINE: name }
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { encoding: 'utf8', env, timeout: 600_000 })
  if (status === 0) return JSON.parse(stdout) as T
  return stderr.trim().split('\n').find(line => line.includes('Error')) ?? `it ended with ${status}`
}

let worst = 0
for (const name of Object.keys(nets)) {
  const numbers: Float32Array[] = []
  for (const backend of ['cpu', 'webgpu']) {
    await tf.setBackend(backend)
    numbers.push(tf.tidy(() => Float32Array.from(gradientsOf(name).flatMap(tensor => [...tensor.dataSync()]))))
  }
  const apart = difference(numbers[1], numbers[0])
  worst = Math.max(worst, apart)
  if (apart > 1e-5) add(`gradients around ${name}`, '', 'the reference engine', `**${apart.toExponential(1)} apart**`)
}
add(`gradients around ${Object.keys(nets).length} kinds of layers`, '', 'the reference engine', `at most ${worst.toExponential(1)} apart`)

interface Workflows { engine: string, results: Record<string, { losses: number[], ms: number, leaked: number }> }
if (!skipped.includes('workflows')) {
  const args = [values.images, values.epochs, '32', ...skipped.includes('all') ? [] : ['--all']]
  const card = asked<Workflows>('workflows.ts', args), wasm = asked<Workflows>('workflows.ts', args, 'wasm')
  if (typeof card === 'string' || typeof wasm === 'string') add('workflows', String(card), String(wasm), 'failed')
  else for (const [name, { losses, ms: took, leaked }] of Object.entries(card.results)) {
    const other = wasm.results[name]
    add(`${name}: ${values.images} images × ${values.epochs} epochs`, ms(took), `WASM ${ms(other.ms)}`,
      `${(took / other.ms).toFixed(2)}×; losses ${difference(losses, other.losses).toExponential(1)} apart; ${leaked} tensors left behind`)
  }
}

interface Steps { engine: string, forward: number, step: number }
const size = [values.side, values.batch, values.rounds], what = `MobileNetV2 ${values.side}² batch ${values.batch}`
const own = asked<Steps>('steps.ts', size)
if (typeof own === 'string') add(what, own, '', 'failed')
else {
  const beside = (name: string, other: { forward: number, step: number }) => {
    add(`${what}, forward`, ms(own.forward), `${name} ${ms(other.forward)}`, `${(own.forward / other.forward).toFixed(2)}×`)
    add(`${what}, training step`, ms(own.step), `${name} ${ms(other.step)}`, `${(own.step / other.step).toFixed(2)}×`)
  }
  const stock = skipped.includes('stock') ? 'skipped' : asked<Steps>('steps.ts', [...size, '--stock'])
  if (typeof stock === 'string') add(what, ms(own.step), 'TensorFlow.js\'s own kernels', stock)
  else beside('TensorFlow.js\'s own kernels', stock)
  if (process.env.GRAFT_TORCH) {
    const { stdout, stderr } = spawnSync(process.env.GRAFT_TORCH, [join(folder, 'with_torch.py'), ...size], { encoding: 'utf8' })
    if (!stdout) add(what, ms(own.step), 'PyTorch', stderr.trim().split('\n').at(-1)!)
    else {
      const { engine: name, off, on } = JSON.parse(stdout)
      beside(`${name}, TF32 off`, off)
      beside(`${name}, TF32 on`, on)
    }
  }
}

for (const [name, took] of await forwards(Number(values.side), Number(values.batch), Number(values.rounds))) {
  add(`a frozen trunk, ${what}, forward`, '', name, typeof took === 'string' ? took : ms(took))
}

const lessons = ['1-feature-extraction', '2-fine-tuning', '3-architectural-modification']
if (!skipped.includes('notebooks')) for (const name of lessons) {
  const files = [join(root, 'notebooks', `${name}.ipynb`), '-o', join(tmpdir(), `${name}.ipynb`)], start = performance.now()
  const command = [join(root, 'cli', 'graft.js'), 'run', ...files]
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', timeout: 600_000 })
  const outcome = status === 0 ? 'ran whole' : `failed: ${stderr.trim().split('\n').at(-1)}`
  add(`notebook ${name}`, ms(performance.now() - start), '', outcome)
}

mkdirSync(join(folder, 'results'), { recursive: true })
const adapter = facts.name.replace(/[^\w.-]+/g, '-').replace(/-+$/, '')
const file = join(folder, 'results', `${new Date().toISOString().slice(0, 10)}-${adapter}.md`)
writeFileSync(file, `${lines.join('\n')}\n`)
console.log(`\n${file}`)
