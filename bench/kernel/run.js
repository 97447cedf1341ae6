// The kernel against the kernels one would use instead, in turns on the same machine, and the marks that are set for it:
// node bench/kernel/run.js [--rounds 5] [--part short|long] [--cells 300] [--only deno,tslab]
// The long part, a notebook of 300 cells typed with TensorFlow.js, runs half as many rounds.
// The peers are installed into .graft/bench on the first run; ipykernel comes with the Python of the tests (npm test sets it up).
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..', '..'), folder = join(root, '.graft', 'bench', 'kernels')
const python = process.env.GRAFT_PYTHON ?? join(root, '.graft', 'python-tests', 'bin', 'python')
const { values } = parseArgs({
  options: { rounds: { type: 'string' }, part: { type: 'string' }, cells: { type: 'string' }, only: { type: 'string' } },
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
  const own = file => ({ argv: ['{node}', file, '{connection_file}'], language: 'typescript', interrupt_mode: 'message' })
  const ours = { graft: own(join(root, 'kernel', 'main.js')), echo: own(join(import.meta.dirname, 'echo.js')) }
  for (const [name, spec] of Object.entries({ ...ours, ...peers.kernels })) {
    const place = join(folder, 'jupyter', 'kernels', `bench-${name}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'kernel.json'), JSON.stringify({ ...spec, argv: spec.argv.map(fill), display_name: name }))
  }
}

installPeers()
writeKernelspecs()
const env = { ...process.env, JUPYTER_PATH: join(folder, 'jupyter'), GRAFT_HISTORY: ':memory:' }
const given = ['rounds', 'part', 'cells', 'only'].flatMap(name => values[name] === undefined ? [] : [`--${name}`, values[name]])
const script = join(import.meta.dirname, 'measure.py')
const { status } = spawnSync(python, [script, ...given], { stdio: 'inherit', env, cwd: folder })
process.exit(status ?? 1)
