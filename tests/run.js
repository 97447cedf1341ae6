// Sets up what the tests need, then runs every test: unit, protocol, parity, notebooks, browser, faults. Plain JavaScript for any Node ≥ 18.15.
// Arguments name parts of test paths to run only those: `npm test -- unit/lib/hub browser`.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { register } from '../install/kernelspec.js'
import { bringNode, kernelNode } from '../install/node.js'
import { installPackages } from '../install/packages.js'
import { logFile, noteState, pythonOf, readState, root, stateFolder, fingerprint, venv } from '../install/place.js'
import { findPython, makeVenv } from '../install/python.js'
import { registryHint } from '../install/registry.js'
import { run, SetupError, step } from '../install/say.js'

const testPython = join(stateFolder, 'python-tests')

/** A Python with TensorFlow, Keras and Jupyter's own test kit: only tests and benches use it. */
async function makeTestPython() {
  const pins = join(root, 'tests', 'requirements.txt')
  const mark = fingerprint([pins], root)
  if (existsSync(pythonOf(testPython)) && readState().testPython === mark) return 'already there'
  const { command: [command, ...args], version } = await findPython()
  rmSync(testPython, { recursive: true, force: true })
  await run(command, [...args, '-m', 'venv', testPython], { log: logFile })
  await run(pythonOf(testPython), ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', '--prefer-binary', '-r', pins],
    { log: logFile, hint: registryHint })
  noteState('testPython', mark)
  return `Python ${version}`
}

function* testFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && entry.name !== 'fixtures') yield* testFiles(path)
    else if (entry.name.endsWith('.test.ts')) yield path
  }
}

/** Runs the files in one `node --test`, on the engine that is always there; resolves to the counts its reporter wrote. */
function runTests(files, concurrency) {
  const scratch = mkdtempSync(join(tmpdir(), 'graft-tests-'))
  const counts = join(scratch, 'counts.json')
  const args = ['--disable-warning=ExperimentalWarning', '--test', `--test-concurrency=${concurrency}`, `--test-reporter=${join(root, 'tests', 'reporter.js')}`,
    '--test-reporter-destination=stdout', ...files]
  const env = { ...process.env, GRAFT_PYTHON: pythonOf(testPython), GRAFT_TEST_COUNTS: counts, XDG_CACHE_HOME: join(scratch, 'cache'), GRAFT_TENSORFLOW: scratch, GRAFT_WEBGPU: scratch, GRAFT_RUNS: join(scratch, 'runs'), GRAFT_TEST_CACHE: process.env.GRAFT_TEST_CACHE ?? join(stateFolder, 'test-cache'),
    TF_CPP_MIN_LOG_LEVEL: '3', NODE_COMPILE_CACHE: join(stateFolder, 'compile-cache') }
  return new Promise(resolve => {
    const child = spawn(kernelNode(), args, { cwd: root, stdio: 'inherit', env })
    child.on('close', code => {
      const result = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 1, skipped: [], files: {} }
      rmSync(scratch, { recursive: true, force: true })
      if (code !== 0 && result.failed === 0) result.failed = 1
      resolve(result)
    })
  })
}

/** As `runTests`, and files with a failure once more, alone: on two busy cores a browser or a kernel may come too late. It says so. */
async function runTwice(files, concurrency) {
  const first = await runTests(files, concurrency), failed = Object.keys(first.files).filter(file => first.files[file].failed)
  if (!failed.length) return first
  console.log(`\nOnce more, alone: ${failed.join(', ')}`)
  const second = await runTests(failed, 1), passedThere = failed.reduce((sum, file) => sum + first.files[file].passed, 0)
  const skipped = [...first.skipped.filter(line => !failed.some(file => line.startsWith(`${file} `))), ...second.skipped]
  return { passed: first.passed - passedThere + second.passed, failed: second.failed, skipped }
}

async function main() {
  console.log('Setting up for the tests (adds TensorFlow and Keras, ≈ 500 MB to download; once)')
  await step('Node', bringNode)
  await step('npm packages', () => installPackages({ dev: true }))
  await step('Python and JupyterLab', makeVenv)
  await step('Kernel', async () => { register(join(venv, 'share', 'jupyter')); return '"TypeScript (Graft)" in .venv' })
  await step('TensorFlow and Keras', makeTestPython)

  const wanted = process.argv.slice(2)
  const files = [...testFiles(join(root, 'tests'))].map(path => relative(root, path)).sort()
    .filter(path => !wanted.length || wanted.some(part => path.includes(part)))
  if (!files.length) throw new SetupError(`no test's path contains ${wanted.map(part => `'${part}'`).join(' or ')}`)

  const total = { passed: 0, failed: 0, skipped: [] }
  const take = result => {
    total.passed += result.passed
    total.failed += result.failed
    total.skipped.push(...result.skipped)
  }
  const types = await run(kernelNode(), [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit'], { cwd: root }).then(() => '', error => error.message)
  console.log(types ? `✗ types\n${types}` : '✓ types')
  take({ passed: types ? 0 : 1, failed: types ? 1 : 0, skipped: [] })
  // Light ones side by side; those that start browsers, kernels or TensorFlow one after the other, so that two cores suffice.
  const heavy = path => /^tests.(parity|notebooks|browser|protocol|faults|hosts)/.test(path)
  const light = files.filter(path => !heavy(path)), rest = files.filter(heavy)
  if (light.length) take(await runTwice(light, 2))
  if (rest.length) take(await runTwice(rest, 1))
  if (total.skipped.length) console.log(`\nSkipped:\n${total.skipped.map(line => `  ${line}`).join('\n')}`)
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`)
  process.exitCode = total.failed ? 1 : 0
}

main().catch(error => {
  console.error(error instanceof SetupError ? `\n${error.message}` : error)
  console.log('\n0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
})
