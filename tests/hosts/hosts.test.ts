import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kernelJson } from '../../install/kernelspec.js'
import { isAlive } from '../../lib/alive.ts'
import { python } from '../parity/save/python.ts'
import { Server, until } from './server.ts'

const skip = process.env.GRAFT_TEST_HOSTS ? false :
  'installs JupyterHub and the gateways from PyPI and npm, a minute the first time: GRAFT_TEST_HOSTS=1'
const cache = resolve(process.env.GRAFT_TEST_CACHE ?? '.graft/test-cache')
const venv = join(cache, 'hosts'), proxies = join(cache, 'hosts-proxy')
const bin = (name: string) => join(venv, 'bin', name)
const proxy = join(proxies, 'node_modules', 'configurable-http-proxy', 'bin', 'configurable-http-proxy')
const started: ChildProcess[] = [], token = 'a-token-of-the-tests'

let folder: string, env: NodeJS.ProcessEnv
/** A free port; the few above it are likely to be free, too. */
const freePort = (): Promise<number> => new Promise(done => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => done(port > 65_000 ? freePort() : port))
  })
})

function start(name: string, command: string, args: string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
  const log = createWriteStream(join(folder, `${name}.log`))
  const child = spawn(command, args, { cwd: folder, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  started.push(child)
  return child
}

const startGateway = (name: string, port: number, args: string[] = [], more: NodeJS.ProcessEnv = {}): ChildProcess =>
  start(name, bin('jupyter'), ['kernelgateway', '--KernelGatewayApp.ip=127.0.0.1', `--KernelGatewayApp.port=${port}`,
    `--KernelGatewayApp.auth_token=${token}`, ...args], more)

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const gone = new Promise(done => child.once('exit', done))
  child.kill('SIGTERM')
  await gone
}

/** What every engine must give: a result, the library, an interrupt that keeps variables, an end that leaves no process. */
async function works(server: Server, name = 'graft'): Promise<void> {
  const kernel = await server.start(name)
  const first = await kernel.run('const answer: number = 6 * 7\nanswer')
  assert.equal(first.value, '42', JSON.stringify(first))
  const library = await kernel.run('const layer = tf.layers.dense({ units: 2, inputShape: [3] })\n' +
    'const model = tf.sequential({ layers: [layer] })\ndiff(model, model) !== undefined')
  assert.equal(library.value, 'true', JSON.stringify(library))
  const looping = await new Promise(done => {
    const ended = kernel.run(`console.log('begun')\nwhile (true) {}`, () => void kernel.interrupt())
    void ended.then(done)
  }) as Awaited<ReturnType<typeof kernel.run>>
  assert.equal(looping.status, 'error', JSON.stringify(looping))
  const pids = await kernel.run('[answer, process.pid, process.ppid].join()')
  const [kept, ...processes] = pids.value.replaceAll(/['"]/g, '').split(',').map(Number)
  assert.equal(kept, 42)
  assert.ok(processes.every(isAlive))
  await kernel.end()
  await until('end of the processes', async () => !processes.some(isAlive), 15)
}

describe('the kernel under the engines that exist, from PyPI and npm, on loopback', { skip, timeout: 600_000 }, () => {
  before(async () => {
    if (!existsSync(bin('jupyterhub'))) {
      execFileSync(python, ['-m', 'venv', venv])
      execFileSync(bin('pip'), ['install', '-q', '-r', 'tests/hosts/requirements.txt'], { stdio: 'ignore' })
    }
    if (!existsSync(proxy)) {
      mkdirSync(proxies, { recursive: true })
      execFileSync('npm', ['install', '--no-audit', '--ignore-scripts', '--prefix', proxies, 'configurable-http-proxy'],
        { stdio: 'ignore' })
    }
    folder = await mkdtemp(join(tmpdir(), 'graft-hosts-'))
    const spec = (name: string, json: object) => {
      mkdirSync(join(folder, 'kernels', name), { recursive: true })
      writeFileSync(join(folder, 'kernels', name, 'kernel.json'), JSON.stringify(json))
    }
    spec('graft', kernelJson(null))
    const elsewhere = JSON.parse(readFileSync('deploy/provisioned-kernel.json', 'utf8')) as { argv: string[] }
    elsewhere.argv.splice(0, 2, process.execPath, resolve('kernel/launcher.js'))
    spec('elsewhere', elsewhere)
    env = {
      ...process.env, PATH: `${join(venv, 'bin')}:${process.env.PATH}`, JUPYTER_PATH: folder,
      JUPYTER_CONFIG_DIR: join(folder, 'config'), JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
      GRAFT_HISTORY: ':memory:', GRAFT_RUNS: 'off', HOME: folder,
    }
  })
  after(async () => {
    await Promise.all(started.map(end))
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('JupyterHub spawns a user\'s server, which starts it', async () => {
    const port = await freePort(), hub = new Server(`http://127.0.0.1:${port}/hub`, token)
    start('hub', bin('jupyterhub'), ['-f', resolve('tests/hosts/jupyterhub_config.py')],
      { HUB_PORT: String(port), HUB_TOKEN: token, HUB_NODE: process.execPath, HUB_PROXY: proxy })
    await until('hub', () => hub.ask('GET', '/api/'))
    await hub.ask('POST', '/api/users/ann')
    await hub.ask('POST', '/api/users/ann/server')
    const ann = () => hub.ask('GET', '/api/users/ann') as Promise<{ servers: Record<string, { ready: boolean }> }>
    await until('server of ann', async () => (await ann()).servers['']?.ready)
    const { token: own } = await hub.ask('POST', '/api/users/ann/tokens', { expires_in: 600 }) as { token: string }
    await works(new Server(`http://127.0.0.1:${port}/user/ann`, own))
    await hub.ask('DELETE', '/api/users/ann/server')
  })

  test('Kernel Gateway serves it without a notebook', async () => {
    const port = await freePort(), gateway = new Server(`http://127.0.0.1:${port}`, token)
    const child = startGateway('gateway', port)
    await until('gateway', () => gateway.ask('GET', '/api'))
    await works(gateway)
    await end(child)
  })

  test('KubeSpawner asks for a pod with the image, the limits and the environment of the values', () => {
    const text = execFileSync(bin('python'), ['tests/hosts/pod.py', 'deploy/zero-to-jupyterhub.yaml'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const { image, resources, env } = JSON.parse(text) as
      { image: string, resources: { limits: Record<string, string> }, env: { name: string, value: string }[] }
    assert.equal(image, 'graft:latest')
    assert.equal(Number(resources.limits.memory), 4 * 2 ** 30)
    assert.equal(env.find(({ name }) => name === 'TFHUB_CACHE_DIR')?.value, '/srv/models')
  })

  for (const encryption of ['disabled', 'required']) {
    test(`a provisioner's gateway has it launched elsewhere, encryption ${encryption}`, async () => {
      const port = await freePort(), gateway = new Server(`http://127.0.0.1:${port}`, token)
      const child = startGateway(`provisioner-${encryption}`, port, [`--KernelManager.transport_encryption=${encryption}`],
        { GP_RESPONSE_IP: '127.0.0.1', GP_RESPONSE_PORT: String(port + 1), GP_LOG_DIR: folder })
      await until('gateway', () => gateway.ask('GET', '/api'))
      await works(gateway, 'elsewhere')
      await end(child)
    })
  }
})
