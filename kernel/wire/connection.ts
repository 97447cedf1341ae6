import { readFileSync } from 'node:fs'
import { GraftError } from '../../lib/error.ts'

/** The five channels of a kernel, as the connection file names their ports. */
export const channels = ['shell', 'control', 'iopub', 'stdin', 'hb'] as const
export type Channel = typeof channels[number]

/** What a connection file says: where to bind, and how to sign. */
export interface Connection {
  transport: 'tcp' | 'ipc'
  ip: string
  key: string
  /** Null where the connection file asks for no signatures, by an empty key. */
  hash: string | null
  ports: Record<Channel, number>
  /** The server's key pair of a CURVE-encrypted connection (Z85), where the file has one. */
  curve: { publicKey: string, secretKey: string } | null
  /** Where the kernel that chose its ports is to tell them; null where the file says which. */
  registration: Registration | null
}

/** What a registration file says of the launcher (Jupyter client documentation, "Registration file format"). */
export interface Registration {
  kernelId: string
  ip: string
  port: number
  /** The file's own path. */
  path: string
}

/**
 * Reads a connection file, or a registration file, with which the kernel chooses its ports (Jupyter client documentation, "Connection files").
 *
 * @throws GraftError where the file is missing, no JSON, or lacks a port.
 * @example
 * const connection = readConnection('kernel-1.json')
 * endpoint(connection, 'shell')   // 'tcp://127.0.0.1:53794'
 */
export function readConnection(path: string): Connection {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new GraftError(`cannot read the connection file '${path}': ${(error as Error).message}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new GraftError(`the connection file '${path}' is not JSON: ${(error as Error).message}`)
  }
  return parseConnection(json, path)
}

/**
 * Checks the content of a connection file and fills in its defaults (tcp, 127.0.0.1, hmac-sha256).
 * @param path where it was read
 */
export function parseConnection(json: unknown, path: string = ''): Connection {
  const file = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>
  const text = (name: string, standard: string) => {
    const value = file[name] ?? standard
    if (typeof value !== 'string') throw new GraftError(`connection file: '${name}' should be a string, received ${JSON.stringify(value)}`)
    return value
  }
  const transport = text('transport', 'tcp')
  if (transport !== 'tcp' && transport !== 'ipc') {
    throw new GraftError(`connection file: 'transport' should be 'tcp' or 'ipc', received '${transport}'`)
  }
  const scheme = text('signature_scheme', 'hmac-sha256'), key = text('key', '')
  if (!scheme.startsWith('hmac-')) throw new GraftError(`connection file: 'signature_scheme' should be like 'hmac-sha256', received '${scheme}'`)
  const port = (name: string) => {
    const value = file[name]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 65535) {
      throw new GraftError(`connection file: '${name}' should be a port number, received ${JSON.stringify(value)}`)
    }
    return value
  }
  const registration = 'registration_port' in file ?
    { kernelId: text('kernel_id', ''), ip: text('registration_ip', '127.0.0.1'), port: port('registration_port'), path } : null
  if (registration && transport === 'ipc') throw new GraftError('connection file: expected \'transport\' to be \'tcp\' for a registration, received \'ipc\'')
  // With port 0 the system chooses.
  const ports = Object.fromEntries(channels.map(channel => [channel, registration ? 0 : port(`${channel}_port`)])) as Record<Channel, number>
  const secretKey = text('curve_secretkey', ''), publicKey = text('curve_publickey', '')
  return {
    transport, ip: text('ip', transport === 'ipc' ? 'kernel-ipc' : registration && !isLoopback(registration.ip) ? '0.0.0.0' : '127.0.0.1'), key, ports, registration,
    hash: key ? scheme.slice('hmac-'.length) : null,
    curve: secretKey && publicKey ? { publicKey, secretKey } : null,
  }
}

/** A launcher on another machine connects from there. */
const isLoopback = (ip: string) => /^(127\.|localhost$|::1$)/.test(ip)

/** The ports as messages carry them: `shell_port` and so on. */
export function portsOf({ ports }: Connection): Record<string, number> {
  return Object.fromEntries(channels.map(channel => [`${channel}_port`, ports[channel]]))
}

/** The ZeroMQ address of one channel. */
export function endpoint({ transport, ip, ports }: Connection, channel: Channel): string {
  if (transport === 'ipc') return `ipc://${ip}-${ports[channel]}`
  return `tcp://${ip.includes(':') && !ip.startsWith('[') ? `[${ip}]` : ip}:${ports[channel]}`
}
