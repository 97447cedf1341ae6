import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNewEnough, nodePackages } from '../../../install/node.js'

test('Node runs TypeScript as it is from 22.18 on', () => {
  for (const [version, expected] of [['18.20.8', false], ['20.20.2', false], ['22.17.1', false], ['22.18.0', true], ['23.0.0', true], ['24.0.0', true], ['26.10.0', true]] as const) {
    assert.equal(isNewEnough(version), expected, version)
  }
})

test('each platform has an exact Node 24 with its checksum', () => {
  const platforms = Object.entries(nodePackages)
  assert.deepEqual(platforms.map(([platform]) => platform).sort(), ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64', 'win32-x64'])
  for (const [platform, [name, version, checksum]] of platforms) {
    assert.match(version, /^24\.\d+\.\d+$/, platform)
    assert.match(checksum, /^sha512-[A-Za-z0-9+/]{86}==$/, platform)
    const arch = platform.split('-')[1]
    assert.ok(name.endsWith(arch), `${name} is for ${platform}`)
    assert.ok(isNewEnough(version))
  }
})
