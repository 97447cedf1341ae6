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

const old = python('old', '3.9.2 yes'), bare = python('bare', '3.12.1 no'), good = python('good', '3.11.7 yes'), two = python('two', 'SyntaxError')

for (const [title, tried, expected] of [
  ['takes the first that is new enough', [old, good], { command: good, version: '3.11.7' }],
  ['passes over one without venv', [bare, good], { command: good, version: '3.11.7' }],
  ['passes over what is no Python', [two, good], { command: good, version: '3.11.7' }],
] as const) test(title, async () => assert.deepEqual(await findPython(tried as never), expected))

for (const [title, tried, expected] of [
  ['names an old Python and the way out', [old], /needs Python ≥ 3\.10 with venv; found only .*old 3\.9\.2\.\nDebian and Ubuntu: apt install python3 python3-venv/],
  ['says that venv is missing', [bare], /found only .*bare 3\.12\.1 \(without venv and ensurepip\)/],
  ['says where it looked', [[join(folder, 'none')]], /found none \(looked for .*none\)\./],
] as const) test(title, () => assert.rejects(findPython(tried as never), expected))
