import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pack } from '../../../install/pack.js'
import { root } from '../../../install/place.js'
import { writeNotebook } from '../../notebooks/write.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-pack-')),
  modules = join(folder, 'node_modules'),
  own = join(modules, '@graft-kernel', 'graft')
after(() => rmSync(folder, { recursive: true, force: true }))

/** The package as npm would install it, its dependencies being links to those of the clone. */
function unpack() {
  const tarball = pack(folder)
  mkdirSync(join(modules, '@graft-kernel'), { recursive: true })
  execFileSync('tar', ['xzf', tarball], { cwd: folder })
  renameSync(join(folder, 'package'), own)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    const from = join(root, 'node_modules', name)
    if (!name.startsWith('@')) symlinkSync(from, join(modules, name))
    else
      for (const inner of readdirSync(from)) {
        mkdirSync(join(modules, name), { recursive: true })
        if (!existsSync(join(modules, name, inner))) symlinkSync(join(from, inner), join(modules, name, inner))
      }
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
}
const node = (...args: string[]) => spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder })
test('the npm package: a library with types, a command line, a kernel that checks types', { timeout: 180_000 }, () => {
  unpack()
  const manifest = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
  assert.deepEqual([manifest.scripts, manifest.devDependencies], [undefined, undefined], 'nothing runs at its installation')
  assert.deepEqual([manifest.dependencies['onnxruntime-node'], manifest.peerDependenciesMeta], [undefined, { 'onnxruntime-node': { optional: true } }])
  assert.equal(
    execFileSync('find', [own, '-name', '*.ts', '-not', '-name', '*.d.ts'], { encoding: 'utf8' }),
    '',
    'no sources: Node strips no types there',
  )

  const model = join(root, 'notebooks', 'models', 'mobilenet_v2_letters_feature_vector')
  writeFileSync(
    join(folder, 'a.ts'),
    `import { hub } from '@graft-kernel/graft'\nconst base = await hub.load(${JSON.stringify(model)})\nconst count: number = base.layers.length\nconsole.log(count)\n`,
  )
  const ran = node('a.ts')
  assert.equal(ran.stdout, '155\n', ran.stderr)
  const tsc = (file: string) =>
    node(
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--skipLibCheck',
      '--types',
      'node',
      file,
    )
  assert.equal(tsc('a.ts').stdout, '')
  writeFileSync(
    join(folder, 'b.ts'),
    "import { hub } from '@graft-kernel/graft'\nconst name: number = (await hub.load('x')).name\n",
  )
  assert.match(tsc('b.ts').stdout, /Type 'string' is not assignable to type 'number'/)

  writeNotebook(
    join(folder, 'n.ipynb'),

      `const base = await hub.load(${JSON.stringify(model)})\nbase.layers.length`,
      "import { freeze as f } from 'graft'\nf(base).changed.length",
      'const wrong: number = base.name',
  )
  const run = node(join(own, 'cli', 'graft.js'), 'run', 'n.ipynb')
  assert.equal(run.status, 1, run.stderr)
  assert.match(run.stderr, /Cell 3, line 1[^]*Stopped|Type 'string' is not assignable to type 'number'/)
  const { cells } = JSON.parse(readFileSync(join(folder, 'n.executed.ipynb'), 'utf8'))
  assert.deepEqual(
    cells.map((cell: any) => cell.outputs.map((output: any) => output.data?.['text/plain'] ?? output.ename).at(-1)),
    ['155', '104', 'TypeScriptError'],
  )

  assert.equal(node(join(own, 'cli', 'graft.js'), 'install', '--prefix', join(folder, 'jupyter')).status, 0)
  const spec = JSON.parse(readFileSync(join(folder, 'jupyter', 'share', 'jupyter', 'kernels', 'graft', 'kernel.json'), 'utf8'))
  assert.ok(existsSync(spec.argv[1]) && spec.argv[1].includes(join('@graft-kernel', 'graft')), spec.argv[1])
})
