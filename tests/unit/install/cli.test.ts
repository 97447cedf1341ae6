import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { join } from 'node:path'
import { root } from '../../../install/place.js'

const install = (...args: string[]) => spawnSync(process.execPath, [join(root, 'install.js'), ...args], { encoding: 'utf8' })

test('--help says what each flag does', () => {
  const { status, stdout } = install('--help')
  assert.equal(status, 0)
  for (const flag of ['--run', '--lab', '--user', '--prefix', '--sys-prefix', '--doctor', '--uninstall']) assert.ok(stdout.includes(flag), flag)
})

for (const [title, args, expected] of [
  ['an unknown option', ['--rnu'], /unknown option: '--rnu'/],
  ['a flag without its value', ['--run'], /--run needs a value/],
] as const) test(`${title} ends with one clear error before anything is done`, () => {
  const { status, stdout, stderr } = install(...args)
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, expected)
  assert.doesNotMatch(stderr, /\n\s+at /)
})
