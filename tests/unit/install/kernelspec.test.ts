import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { after, test } from 'node:test'
import { dataFolder, kernelJson, register, unregister, userDataFolder } from '../../../install/kernelspec.js'

const share = mkdtempSync(join(tmpdir(), 'graft-share-'))
after(() => rmSync(share, { recursive: true, force: true }))

test('the kernelspec starts files that are there, by absolute paths', () => {
  const spec = kernelJson()
  assert.ok(isAbsolute(spec.argv[0]) && isAbsolute(spec.argv[1]))
  assert.ok(existsSync(spec.argv[1]), spec.argv[1])
  assert.equal(spec.argv[2], '{connection_file}')
  assert.equal(spec.language, 'typescript')
  assert.equal(spec.interrupt_mode, 'message')
})

test('registering twice leaves one whole kernelspec with its logos, and unregistering removes it', () => {
  register(share)
  const folder = register(share)
  assert.equal(folder, join(share, 'kernels', 'graft'))
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8')), kernelJson())
  for (const logo of ['logo-32x32.png', 'logo-64x64.png', 'logo-svg.svg']) assert.ok(existsSync(join(folder, logo)), logo)
  assert.equal(unregister(share), true)
  assert.equal(existsSync(folder), false)
  assert.equal(unregister(share), false)
})

test('another clone\'s kernelspec is left alone', () => {
  const folder = join(share, 'kernels', 'graft')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'kernel.json'), JSON.stringify({ argv: ['node', '/elsewhere/kernel/main.js'] }))
  assert.equal(unregister(share), false)
  assert.ok(existsSync(folder))
})

test('a folder that cannot be written is one clear error', () => {
  const file = join(share, 'a-file')
  writeFileSync(file, '')
  assert.throws(() => register(file), /could not register the kernel in .*a-file.*\nName a folder you may write to: --prefix DIR, or --user\./)
})

test('where a user\'s kernelspecs lie, by platform', () => {
  for (const [env, platform, expected] of [
    [{ JUPYTER_DATA_DIR: '/data' }, 'linux', '/data'],
    [{ XDG_DATA_HOME: '/xdg' }, 'linux', '/xdg/jupyter'],
    [{}, 'linux', join(homedir(), '.local/share/jupyter')],
    [{}, 'darwin', join(homedir(), 'Library/Jupyter')],
    [{ APPDATA: '/roaming' }, 'win32', '/roaming/jupyter'],
  ] as const) assert.equal(userDataFolder(env as NodeJS.ProcessEnv, platform), expected)
})

test('--prefix names share/jupyter under it', async () => {
  assert.equal(await dataFolder({ prefix: '/opt/conda' }), join('/opt/conda', 'share', 'jupyter'))
})
