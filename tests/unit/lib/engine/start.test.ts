import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { withoutTensorFlow } from './tensorflow/here.ts'

const run = promisify(execFile)
const tfModule = JSON.stringify(new URL('../../../../lib/tf.ts', import.meta.url).href)

/** What a program prints that imports `tf` under a given GRAFT_ENGINE. */
async function program(engine: string | undefined, code: string): Promise<{ stdout: string, stderr: string }> {
  const env = { ...process.env, GRAFT_ENGINE: engine ?? '', GRAFT_TENSORFLOW: import.meta.dirname }
  return run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', `const { tf } = await import(${tfModule}); ${code}`], { env })
}

for (const [wish, engine] of [[undefined, 'wasm'], ['wasm', 'wasm'], ['cpu', 'cpu']] as const) {
  test(`with GRAFT_ENGINE ${wish ?? 'unset'} the engine is ${engine}, ready once imported, and says nothing`, async () => {
    const { stdout, stderr } = await program(wish, 'console.log(tf.getBackend(), tf.tensor([1, 2]).add(1).arraySync().join())')
    assert.equal(stdout, `${engine} 2,3\n`)
    assert.equal(stderr, '')
  })
}

test('an engine that there is not ends in an error that names those there are', async () => {
  await assert.rejects(program('wsam', ''), (error: { stderr: string }) => {
    assert.match(error.stderr, /GraftError: GRAFT_ENGINE: expected 'tensorflow', 'webgpu', 'wasm', 'cpu', received 'wsam'\. Did you mean 'wasm'\?/)
    return true
  })
})

test('an uncaught error stays the program\'s own affair (the WASM module ended the process)', async () => {
  const { stdout } = await program('wasm', `process.on('uncaughtException', e => console.log('heard', e.message)); setTimeout(() => { throw new Error('late') })`)
  assert.equal(stdout, 'heard late\n')
  const { stdout: listeners } = await program('wasm', `console.log(process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection'))`)
  assert.equal(listeners, '0 0\n')
})

test('where TensorFlow is found it is the engine, started without a word', { skip: withoutTensorFlow }, async () => {
  const env = { ...process.env, GRAFT_ENGINE: '' }, code = `const { tf } = await import(${tfModule}); console.log(tf.getBackend(), tf.tensor([1, 2]).add(1).arraySync().join())`
  const { stdout, stderr } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code], { env })
  assert.deepEqual([stdout, stderr], ['tensorflow 2,3\n', ''])
})

test('TensorFlow that is asked for and not there is an error with the command that gets it', async () => {
  await assert.rejects(program('tensorflow', ''), (error: { stderr: string }) => {
    assert.match(error.stderr, /GraftError: GRAFT_ENGINE=tensorflow: GRAFT_TENSORFLOW: no TensorFlow in .+ node install\.js --engine tensorflow installs it\./)
    return true
  })
})
