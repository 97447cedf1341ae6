import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findPython } from '../../../install/python.js'

const folder = mkdtempSync(join(tmpdir(), 'graft-pythons-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A command that answers the probe as a Python of this version would. */
function python(name: string, answer: string): [string] {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\necho '${answer}'\n`)
  chmodSync(path, 0o755)
  return [path]
}

const old = python('old', 'Python 3.9.2 True True False'), bare = python('bare', 'Python 3.12.1 False False False'), two = python('two', 'SyntaxError')
const good = python('good', 'Python 3.11.7 True True False'), debian = python('debian', 'Python 3.13.5 True False True')
const found = { command: good, version: '3.11.7', ensurepip: true, managed: false }

for (const [title, tried, expected] of [
  ['takes the first that is new enough', [old, good], found],
  ['passes over one without venv', [bare, good], found],
  ['passes over what is no Python', [two, good], found],
  ['takes Debian\'s, which lacks ensurepip', [debian], { command: debian, version: '3.13.5', ensurepip: false, managed: true }],
] as const) test(title, async () => assert.deepEqual(await findPython(tried as never), expected))

for (const [title, tried, expected] of [
  ['names an old Python and the way out', [old], /needs Python ≥ 3\.10 with venv; found only .*old 3\.9\.2\.\nWithout root: .*GRAFT_SETUP_PYTHON[^]*--no-jupyter/],
  ['says that venv is missing', [bare], /found only .*bare 3\.12\.1 \(without venv\)/],
  ['says where it looked', [[join(folder, 'none')]], /found none \(looked for .*none\)\./],
] as const) test(title, () => assert.rejects(findPython(tried as never), expected))
