import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkNode, isNewEnough } from '../../../install/node.js'
import { pythonOf } from '../../../install/place.js'
import { machines, systemOf } from '../../../install/platforms.js'

test('Node runs TypeScript as it is from 22.18 on', () => {
  for (const [version, expected] of [['18.20.8', false], ['20.20.2', false], ['22.17.1', false], ['22.18.0', true], ['23.0.0', true], ['24.0.0', true], ['26.10.0', true]] as const) {
    assert.equal(isNewEnough(version), expected, version)
  }
})

test('each machine has an exact Node 24 with its checksum', () => {
  assert.deepEqual(Object.keys(machines).sort(), ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win32-x64'])
  for (const [machine, { node: [name, version, checksum] }] of Object.entries(machines)) {
    assert.match(version, /^24\.\d+\.\d+$/, machine)
    assert.match(checksum, /^sha512-[A-Za-z0-9+/]{86}==$/, machine)
    const [platform, arch] = machine.split('-')
    assert.ok(name.endsWith(`${platform.replace('win32', 'win')}-${arch}`), `${name} is for ${machine}`)
    assert.ok(isNewEnough(version))
  }
})

test('what is called otherwise on another system', () => {
  for (const [platform, python, node, npm, first] of [
    ['linux', 'bin/python', 'bin/node', 'npm', 'python3'], ['darwin', 'bin/python', 'bin/node', 'npm', 'python3'],
    ['win32', 'Scripts/python.exe', 'bin/node.exe', 'npm.cmd', 'py'], ['freebsd', 'bin/python', 'bin/node', 'npm', 'python3'],
  ] as const) {
    const system = systemOf(platform)
    assert.deepEqual([system.node, system.npm, system.pythons[0][0]], [node, npm, first])
    assert.equal(pythonOf('venv', platform).replaceAll('\\', '/'), `venv/${python}`)
  }
})

test('an old Node on a machine that npm has none for is told so', () => {
  checkNode('18.0.0', 'linux', 'x64')
  checkNode('24.0.0', 'freebsd', 'x64')
  assert.throws(() => checkNode('20.1.0', 'freebsd', 'x64'), /needs Node ≥ 22\.18; this is 20\.1\.0, and npm has no Node for freebsd-x64\. Unpack one/)
})
