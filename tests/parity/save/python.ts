import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** The Python with TensorFlow, Keras 3 and tf_keras that the parity tests compare with. */
export const python = resolve(process.env.GRAFT_PYTHON ?? '.graft/python-tests/bin/python')

/** Why parity tests cannot run, or false. */
export const skip: string | false = existsSync(python) ? false : `no Python with Keras at ${python} (set GRAFT_PYTHON)`

/** Runs a Python script to its end; throws with what it wrote to stderr where it fails. */
export function runPython(script: string, args: string[], options: { cwd?: string } = {}): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(python, [script, ...args], {
      ...options,
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3', CUDA_VISIBLE_DEVICES: '' },
    })
    let out = '',
      err = ''
    child.stdout.on('data', text => {
      out += text
    })
    child.stderr.on('data', text => {
      err += text
    })
    child.on('error', fail)
    child.on('exit', code => (code === 0 ? done(out) : fail(new Error(`${script} ended with ${code}:\n${err.slice(-4000)}`))))
  })
}
