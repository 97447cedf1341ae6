import { spawn } from 'node:child_process'
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { suite, test } from 'node:test'

// The kernel is tested through Jupyter's own client, in Python. Each Python test counts as a test here.

const python = process.env.GRAFT_PYTHON ?? resolve(import.meta.dirname, '../../.graft/python-tests/bin/python')

interface Outcome { name: string, status: 'ok' | 'skipped' | 'failed', detail: string }

for (const file of readdirSync(import.meta.dirname).filter(name => name.startsWith('test_')).sort()) {
  const outcomes = await run(file)
  suite(file, () => {
    for (const { name, status, detail } of outcomes) {
      test(name, { skip: status === 'skipped' && detail }, t => {
        if (status === 'failed') assert.fail(detail)
        for (const line of detail.split('\n').filter(Boolean)) t.diagnostic(line)
      })
    }
  })
}

async function run(file: string): Promise<Outcome[]> {
  const env = { ...process.env, GRAFT_NODE: process.execPath, PYTHONDONTWRITEBYTECODE: '1', JUPYTER_PLATFORM_DIRS: '1' }
  const child = spawn(python, [join(import.meta.dirname, 'harness.py'), file], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', chunk => { log += chunk })
  child.on('error', error => { log += error.message })
  const outcomes: Outcome[] = []
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('{')) outcomes.push(JSON.parse(line) as Outcome)
  if (!outcomes.length) outcomes.push({ name: 'starts', status: 'failed', detail: `${python} ${file} ran no test:\n${log}` })
  return outcomes
}
