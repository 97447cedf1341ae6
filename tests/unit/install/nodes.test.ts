import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pack } from '../../../install/pack.js'
import { npmCommand } from '../../../install/packages.js'
import { machineOf, systemOf } from '../../../install/platforms.js'
import { root } from '../../../install/place.js'
import { writeNotebook } from '../../notebooks/write.ts'

// Downloads 170 MB of packages, and 45 MB for each Node.
const skip = !process.env.GRAFT_TEST_NODES && 'GRAFT_TEST_NODES=1 installs the package from npm and runs it on the oldest, the usual and the newest Node'
const folder = mkdtempSync(join(tmpdir(), 'graft-nodes-')), project = join(folder, 'project')
after(() => rmSync(folder, { recursive: true, force: true }))

function npm(cwd: string, ...args: string[]) {
  const [command, ...first] = npmCommand()
  return execFileSync(command, [...first, ...args, '--no-audit', '--no-fund'], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A Node of some version, from npm. */
function nodeOf(version: string): string {
  const [name] = machineOf()!.node, place = join(folder, `node-${version}`)
  mkdirSync(place, { recursive: true })
  npm(place, 'install', '--ignore-scripts', '--prefix', place, `${name}@${version}`)
  return join(place, 'node_modules', name, systemOf().node)
}

test('npm i in an empty folder, install scripts on: nothing but npm is asked; ONNX Runtime comes on demand, without CUDA', { skip, timeout: 600_000 }, () => {
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  npm(project, 'install', '--foreground-scripts', pack(folder))
  const own = join(project, 'node_modules', '@graft-kernel', 'graft'), onnx = join(project, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64')
  const engine = () => spawnSync(process.execPath, ['-e', "import('@graft-kernel/graft').then(({ engine }) => console.log(engine()))"], { cwd: project, encoding: 'utf8' }).stdout
  assert.match(engine(), /the same engine, as ONNX Runtime is not installed; npx graft install --engine onnxruntime installs it/)
  const { status, stderr } = spawnSync(process.execPath, [join(own, 'cli', 'graft.js'), 'install', '--engine', 'onnxruntime'], { cwd: project, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.match(engine(), /runs in ONNX Runtime 1\.30\.0/)
  assert.deepEqual(readdirSync(onnx).filter(name => /cuda|tensorrt/.test(name)), [])
})

for (const version of ['22.18.0', '^22', '^24', 'latest']) {
  test(`the package opens a model, and runs a notebook, on Node ${version}`, { skip, timeout: 600_000 }, () => {
    const node = nodeOf(version), run = (...args: string[]) => spawnSync(node, args, { cwd: project, encoding: 'utf8', env: { ...process.env, GRAFT_RUNS: 'off' } })
    const model = JSON.stringify(join(root, 'notebooks', 'models', 'mobilenet_v2_letters_feature_vector'))
    writeFileSync(join(project, 'a.ts'), `import { hub } from '@graft-kernel/graft'\nconst base = await hub.load(${model})\nconst count: number = base.layers.length\nconsole.log(count)\n`)
    const program = run('a.ts')
    assert.equal(program.stdout, '155\n', program.stderr)
    const images = JSON.stringify(join(root, 'notebooks', 'images', 'digits'))
    writeNotebook(join(project, 'n.ipynb'), `const base = await hub.load(${model})`, `const digits = await data.images(${images}, { size: base, validation: 0.2 })`,
      'const model = customize.extract(base, { classes: digits.classes })', 'const run = await train(model, digits, { epochs: 3, seed: 1 })\nrun.history.valAccuracy.at(-1)! > 0.5', "await save(model, 'm.keras')")
    const executed = run(join('node_modules', '@graft-kernel', 'graft', 'cli', 'graft.js'), 'run', 'n.ipynb')
    assert.equal(executed.status, 0, executed.stderr)
    const { cells } = JSON.parse(readFileSync(join(project, 'n.executed.ipynb'), 'utf8'))
    assert.equal(cells[3].outputs.at(-1).data['text/plain'], 'true')
  })
}
