import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { endpoint, parseConnection, readConnection } from '../../../../kernel/wire/connection.ts'

const ports = { shell_port: 1, control_port: 2, iopub_port: 3, stdin_port: 4, hb_port: 5 }
const file = { transport: 'tcp', ip: '127.0.0.1', key: 'k', signature_scheme: 'hmac-sha256', ...ports }

suite('connection file', () => {
  const addresses: [object, string][] = [
    [file, 'tcp://127.0.0.1:1'],
    [{ ...ports }, 'tcp://127.0.0.1:1'],
    [{ ...file, ip: '0.0.0.0' }, 'tcp://0.0.0.0:1'],
    [{ ...file, ip: '*' }, 'tcp://*:1'],
    [{ ...file, ip: '::1' }, 'tcp://[::1]:1'],
    [{ ...file, transport: 'ipc', ip: '/tmp/kernel' }, 'ipc:///tmp/kernel-1'],
  ]
  for (const [content, expected] of addresses) {
    test(`${JSON.stringify(content)} binds the shell to ${expected}`, () => assert.equal(endpoint(parseConnection(content), 'shell'), expected))
  }

  test('an empty key asks for no signatures', () => {
    assert.equal(parseConnection({ ...file, key: '' }).hash, null)
    assert.equal(parseConnection(file).hash, 'sha256')
  })

  test('a CURVE key pair is taken over', () => {
    const { curve } = parseConnection({ ...file, curve_publickey: 'p', curve_secretkey: 's' })
    assert.deepEqual(curve, { publicKey: 'p', secretKey: 's' })
  })

  test('a registration file leaves the ports to the kernel', () => {
    for (const [ip, bound] of [['127.0.0.1', '127.0.0.1'], ['10.0.0.7', '0.0.0.0']]) {
      const { registration, ports, ip: own } = parseConnection({ kernel_id: 'id', registration_ip: ip, registration_port: 7, key: 'k' }, 'file.json')
      assert.deepEqual([registration, own], [{ kernelId: 'id', ip, port: 7, path: 'file.json' }, bound])
      assert.deepEqual(new Set(Object.values(ports)), new Set([0]))
    }
  })

  const wrong: [unknown, RegExp][] = [
    [{ registration_port: 7, transport: 'ipc' }, /'transport' to be 'tcp' for a registration/],
    [{ registration_port: 0.5 }, /'registration_port' should be a port number/],
    [{ ...file, transport: 'udp' }, /'transport' should be 'tcp' or 'ipc', received 'udp'/],
    [{ ...file, shell_port: '1' }, /'shell_port' should be a port number, received "1"/],
    [{ ...file, hb_port: 70000 }, /'hb_port' should be a port number/],
    [{ ...file, ip: 5 }, /'ip' should be a string, received 5/],
    [{ ...file, signature_scheme: 'none' }, /'signature_scheme' should be like 'hmac-sha256'/],
    [null, /'shell_port' should be a port number, received undefined/],
  ]
  for (const [content, message] of wrong) test(`refuses with ${message}`, () => assert.throws(() => parseConnection(content), { name: 'GraftError', message }))

  test('a file that is missing or no JSON is named', () => {
    const folder = mkdtempSync(join(tmpdir(), 'connection-'))
    try {
      writeFileSync(join(folder, 'a.json'), '{')
      assert.throws(() => readConnection(join(folder, 'a.json')), { name: 'GraftError', message: /a\.json' is not JSON/ })
      assert.throws(() => readConnection(join(folder, 'b.json')), { name: 'GraftError', message: /cannot read the connection file .*b\.json/ })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
