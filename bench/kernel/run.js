// The kernel against the kernels one would use instead, in turns on the same machine: node bench/kernel/run.js [--rounds 5] [--cells 60] [--only deno,tslab]
// A long notebook typed with TensorFlow.js: node bench/kernel/run.js --long [--rounds 3] [--cells 300] [--only tslab]
// The peers are installed into .graft/bench on the first run; ipykernel comes with the Python of the tests (npm test sets it up).
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..', '..'), folder = join(root, '.graft', 'bench', 'kernels')
const python = process.env.GRAFT_PYTHON ?? join(root, '.graft', 'python-tests', 'bin', 'python')
const { values } = parseArgs({
  options: { long: { type: 'boolean', default: false }, rounds: { type: 'string' }, cells: { type: 'string' }, only: { type: 'string' } },
})
const peers = JSON.parse(readFileSync(join(import.meta.dirname, 'peers.json'), 'utf8'))

function installPeers() {
  const wanted = JSON.stringify({ private: true, dependencies: peers.npm }), manifest = join(folder, 'package.json')
  if (existsSync(manifest) && existsSync(join(folder, 'node_modules')) && readFileSync(manifest, 'utf8') === wanted) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(manifest, wanted)
  console.error('installing the peers …')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--loglevel=error'], { cwd: folder, stdio: 'inherit' })
}

function writeKernelspecs() {
  const places = { python, node: process.execPath, npm: join(folder, 'node_modules') }
  const fill = word => word.replace(/\{(python|node|npm)\}/g, (_, name) => places[name])
  const graft = { argv: ['{node}', join(root, 'kernel', 'main.js'), '{connection_file}'], language: 'typescript', interrupt_mode: 'message' }
  for (const [name, spec] of Object.entries({ graft, ...peers.kernels })) {
    const place = join(folder, 'jupyter', 'kernels', `bench-${name}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'kernel.json'), JSON.stringify({ ...spec, argv: spec.argv.map(fill), display_name: name }))
  }
}

installPeers()
writeKernelspecs()
const env = { ...process.env, JUPYTER_PATH: join(folder, 'jupyter'), GRAFT_HISTORY: ':memory:' }
const given = ['rounds', 'cells', 'only'].flatMap(name => values[name] === undefined ? [] : [`--${name}`, values[name]])
const script = join(import.meta.dirname, values.long ? 'long.py' : 'measure.py')
const { status } = spawnSync(python, [script, ...given], { stdio: 'inherit', env, cwd: folder })
process.exit(status ?? 1)
