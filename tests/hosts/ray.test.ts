import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { python } from '../parity/save/python.ts'
import { writeNotebook } from '../notebooks/write.ts'

const skip = process.env.GRAFT_TEST_HOSTS ? false : 'installs Ray from PyPI (285 MB on disk): GRAFT_TEST_HOSTS=1'
const venv = join(resolve(process.env.GRAFT_TEST_CACHE ?? '.graft/test-cache'), 'ray')

test('a sweep on a real Ray: its jobs are tasks, a failed one is named, the others are kept', { skip, timeout: 300_000 }, () => {
  if (!existsSync(join(venv, 'bin', 'ray'))) {
    execFileSync(python, ['-m', 'venv', venv])
    execFileSync(join(venv, 'bin', 'pip'), ['install', '-q', 'ray==2.60.0'], { stdio: ['ignore', 'ignore', 'inherit'] })
  }
  const folder = mkdtempSync(join(tmpdir(), 'graft-ray-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const notebook = writeNotebook(join(folder, 'lesson.ipynb'),
    { source: 'const units: number = 2', tags: ['parameters'] },
    'if (units === 3) throw new Error("three units are too many")\nunits * 2')
  const { status, stdout, stderr } = spawnSync(join(venv, 'bin', 'python'), [
    resolve('deploy/ray_sweep.py'), '--jobs', '3', '--cpus', '1', '--',
    process.execPath, resolve('cli/graft.js'), 'sweep', notebook, '-p', 'units=2,3,4', '-o', join(folder, 'out'),
  ], { encoding: 'utf8', cwd: folder, env: { ...process.env, RAY_TMPDIR: folder, RAY_USAGE_STATS_ENABLED: '0' } })
  assert.equal(status, 1, stderr)
  assert.match(stdout, /2 of 3 jobs are done/)
  assert.match(stdout, /Job 1 failed \(units=3, .*three units are too many/)
})
