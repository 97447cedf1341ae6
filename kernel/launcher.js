// Starts the kernel where a gateway's provisioner asks for it, on another machine or in a container:
//   node kernel/launcher.js --kernel-id ID --response-address IP:PORT --public-key KEY [--port-range LOW..HIGH] [--transport-encryption auto]
// The protocol is that of the launchers of gateway_provisioners and Enterprise Gateway (server_listener.py, version 1): the launcher chooses ports on
// this machine, starts the kernel, tells the gateway of them, encrypted with its public key, and waits at a port of its own for signals.
import { spawn } from 'node:child_process'
import { createCipheriv, createPublicKey, constants, publicEncrypt, randomBytes, randomInt, randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { constants as system, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const version = 1

/** The connection information as the gateway decrypts it: an AES key of its own, encrypted with the gateway's RSA key. */
export function encrypted(info, publicKey) {
  const key = randomBytes(16), cipher = createCipheriv('aes-128-ecb', key, null)
  const content = Buffer.concat([cipher.update(JSON.stringify(info)), cipher.final()])
  const rsa = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  const sealed = publicEncrypt({ key: rsa, padding: constants.RSA_PKCS1_PADDING }, key)
  return Buffer.from(JSON.stringify({ version, key: sealed.toString('base64'), conn_info: content.toString('base64') })).toString('base64')
}

/** A free port, of the range where one is given: `40000..41000`; `0..0` means any. */
export async function freeServer(range = '0..0', handle = () => {}) {
  const [low, high] = range.split('..').map(Number)
  for (let tries = 0; ; tries++) {
    const server = createServer({ allowHalfOpen: true }, handle)
    try {
      await new Promise((done, fail) => server.once('error', fail).listen(high > low ? randomInt(low, high + 1) : 0, '0.0.0.0', done))
      return server
    } catch (error) {
      if (tries === 50) throw new Error(`no free port in ${range}: ${error.message}. Give a wider --port-range.`)
    }
  }
}

const portOf = server => server.address().port

async function launch(options) {
  const range = options['port-range'], names = ['shell', 'iopub', 'stdin', 'hb', 'control']
  let kernel
  const listener = await freeServer(range, socket => {
    let text = ''
    socket.setEncoding('utf8').on('data', piece => { text += piece }).on('error', () => {}).on('end', () => {
      socket.end()
      obey(text)
    })
  })
  const held = await Promise.all(names.map(() => freeServer(range)))
  const info = {
    transport: 'tcp', ip: '0.0.0.0', signature_scheme: 'hmac-sha256', key: randomUUID(),
    ...Object.fromEntries(names.map((name, i) => [`${name}_port`, portOf(held[i])])),
  }
  if (['auto', 'required'].includes(options['transport-encryption'])) {
    const { publicKey, secretKey } = (await import('zeromq')).curveKeyPair()
    Object.assign(info, { curve_publickey: publicKey, curve_secretkey: secretKey })
  }
  await Promise.all(held.map(server => new Promise(done => server.close(done))))
  const file = join(tmpdir(), `graft-${randomBytes(8).toString('hex')}.json`)
  writeFileSync(file, JSON.stringify(info), { mode: 0o600 })
  // The kernel ends with this process; the gateway's own is on another machine.
  const env = { ...process.env, JPY_PARENT_PID: String(process.pid), KERNEL_ID: options['kernel-id'] }
  kernel = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), file], { stdio: 'inherit', env })
  const end = code => {
    rmSync(file, { force: true })
    process.exit(code)
  }
  kernel.on('exit', (code, signal) => end(code ?? 128 + system.signals[signal]))
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => kernel.kill(signal))

  function obey(text) {
    let request = {}
    try {
      request = JSON.parse(text)
    } catch {
      // A gateway that only looks whether someone is there says nothing.
    }
    // 0 asks whether the kernel lives: that this port answers says so.
    if (Number.isInteger(request.signum) && request.signum > 0) kernel.kill(request.signum)
    // The kernel itself has its shutdown as a message; one that does not end by it is ended.
    if (request.shutdown) setTimeout(() => kernel.kill('SIGTERM'), 5000).unref()
  }

  const [host, port] = options['response-address'].split(':')
  const told = { ...info, pid: process.pid, pgid: process.pid, comm_port: portOf(listener), kernel_id: options['kernel-id'] }
  connect(Number(port), host, function () { this.end(encrypted(told, options['public-key'])) }).on('error', error => {
    console.error(`The gateway at ${options['response-address']} cannot be told where the kernel is: ${error.message}.`)
    kernel.kill()
  })
}

if (import.meta.main) {
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: { 'kernel-id': text, 'response-address': text, 'public-key': text, 'port-range': text, 'transport-encryption': text }, strict: true,
  })
  const missing = ['kernel-id', 'response-address', 'public-key'].filter(name => !values[name])
  if (missing.length) {
    console.error(`kernel/launcher.js is started by a gateway's provisioner. It lacks ${missing.map(name => `--${name}`).join(', ')}.`)
    process.exit(2)
  }
  await launch(values)
}
