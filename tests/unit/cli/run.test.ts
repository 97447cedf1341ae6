import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setParameters } from '../../../cli/parameters.ts'
import { readNotebook, type Notebook } from '../../../cli/notebook.ts'
import { root } from '../../../install/place.js'
import { descendants } from '../../../kernel/descendants.ts'
import { isAlive } from '../../../lib/alive.ts'
import { writeNotebook, type CodeCell } from '../../notebooks/write.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, ...cells: CodeCell[]) => writeNotebook(join(folder, name), ...cells)
const graft = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'cli', 'graft.js'), ...args], { encoding: 'utf8', cwd: folder })
const parameters = { source: 'const epochs: number = 10 // how many\nconst name = "a", list = [1,\n  2]', tags: ['parameters'] }

test('graft run executes a notebook with parameters; outputs are as a front end keeps them', () => {
  const path = write(
    'good.ipynb',
    parameters,
    'console.log(epochs)\nconsole.log(name)\nlist',
    'display.html("<b>x</b>", { id: "d" })\n1',
    'display.html("<b>y</b>", { id: "d", update: true })',
    '',
  )
  const { status, stdout, stderr } = graft(
    'run',
    path,
    '-p',
    'epochs=3',
    '-p',
    'name=it\'s "me"',
    '-p',
    'list=[7]',
    '-o',
    join(folder, 'out.ipynb'),
  )
  assert.equal(status, 0, stdout + stderr)
  const { cells } = readNotebook(join(folder, 'out.ipynb'))
  assert.equal(cells[0].source, 'const epochs: number = 3 // how many\nconst name = "it\'s \\"me\\"", list = [7]')
  assert.deepEqual(cells[1].outputs[0], { output_type: 'stream', name: 'stdout', text: ['3\n', 'it\'s "me"\n'] })
  assert.deepEqual(
    [cells[1].outputs[1].output_type, cells[1].outputs[1].data!['text/plain'], cells[1].execution_count],
    ['execute_result', '[ 7 ]', 2],
  )
  assert.match(stdout, /cell 5 of 5|Executed: /)
})

test('a failing cell ends it with 1; what ran is kept, what did not has no number', () => {
  const path = write('bad.ipynb', 'const a = 1\na', 'const b: string = a', 'console.log("never")')
  const { status, stderr } = graft('run', path)
  assert.equal(status, 1)
  assert.match(stderr, /Type 'number' is not assignable to type 'string'/)
  assert.match(stderr, /Stopped; what ran is in .*bad\.executed\.ipynb/)
  const { cells } = readNotebook(join(folder, 'bad.executed.ipynb'))
  assert.deepEqual(
    cells.map(cell => [cell.execution_count, cell.outputs.map(one => one.output_type).join()]),
    [
      [1, 'execute_result'],
      [2, 'error'],
      [null, ''],
    ],
  )
})

test('a cell that is tagged raises-exception may fail', () => {
  const path = write('raises.ipynb', { source: 'throw new Error("meant")', tags: ['raises-exception'] }, '1')
  assert.equal(graft('run', path, '-o', join(folder, 'r.ipynb')).status, 0)
})

test('Ctrl+C interrupts the cell and ends the run with 130', { timeout: 60_000 }, async () => {
  const path = write('endless.ipynb', '1', 'while (true) {}'),
    child = spawn(process.execPath, [join(root, 'cli', 'graft.js'), 'run', path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', chunk => {
    said += chunk
    if (/cell 2 of 2/.test(said)) setTimeout(() => child.kill('SIGINT'), 300)
  })
  const code = await new Promise(resolve => child.on('close', resolve))
  assert.equal(code, 130)
  assert.equal(readNotebook(join(folder, 'endless.executed.ipynb')).cells[1].outputs[0].ename, 'Interrupted')
})

test('a run that is killed leaves no kernel behind', { timeout: 60_000 }, async () => {
  const path = write('killed.ipynb', 'await new Promise(() => {})'),
    child = spawn(process.execPath, [join(root, 'cli', 'graft.js'), 'run', path], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = '', processes: number[] = []
  child.stdout.on('data', chunk => { said += chunk })
  while (!processes.length) {
    await sleep(100)
    // The cell is told before it runs; a while later it runs.
    if (/cell 1 of 1/.test(said)) processes = await sleep(500).then(() => descendants(child.pid!))
  }
  child.kill('SIGKILL')
  while (processes.some(isAlive)) await sleep(100)
})

for (const [name, args, expected] of [
  ['no notebook', ['run', 'godo.ipynb'], /^godo\.ipynb: no such notebook\. Did you mean 'good\.ipynb'\?/],
  [
    'an unknown parameter',
    ['run', 'good.ipynb', '-p', 'epoch=3'],
    /the notebook has no parameter 'epoch'\. Did you mean 'epochs'\? It has epochs, name, list\./,
  ],
  [
    'a parameter without a value',
    ['run', 'good.ipynb', '-p', 'epochs'],
    /-p expects name=value, e\.g\. epochs=3; received 'epochs'/,
  ],
  ['an unknown command', ['rnu', 'good.ipynb'], /unknown command: 'rnu'\. Did you mean 'run'\?/],
  ['an unknown option', ['run', 'good.ipynb', '--fast'], /unknown option: '--fast'/],
  ['no folder for the result', ['run', 'good.ipynb', '-o', 'no/where.ipynb'], /no such folder for the executed notebook: no\./],
  ['something else than a notebook', ['script', 'junk.ipynb'], /junk\.ipynb is no notebook: /],
] as const) {
  test(`refused in a sentence, with exit code 2: ${name}`, () => {
    write('good.ipynb', parameters)
    writeFileSync(join(folder, 'junk.ipynb'), '{')
    const { status, stderr } = graft(...args)
    assert.equal(status, 2)
    assert.match(stderr, expected)
    assert.doesNotMatch(stderr, /\n\s+at /)
    assert.equal(existsSync(join(folder, 'good.executed.ipynb')), false)
  })
}

test('a notebook without a cell for parameters takes none', () => {
  const notebook = { cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 } as Notebook
  assert.throws(
    () => setParameters(notebook, ['a=1']),
    /^GraftError: parameters were given, but no cell of the notebook is tagged 'parameters'\.$/,
  )
})

test('graft script writes a program that runs and shows the same', () => {
  const path = write('program.ipynb', 'const a = 20', 'const a = 21\na * 2', '%time const b = `${a}!`\nconsole.log(b)')
  assert.equal(graft('script', path).status, 0)
  assert.match(readFileSync(join(folder, 'program.ts'), 'utf8'), /^\/\/ Written from program\.ipynb by graft script\.$/m)
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(folder, 'program.ts')], { encoding: 'utf8', cwd: folder })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^42\n21!\n$/)
})
