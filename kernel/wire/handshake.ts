import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Dealer } from 'zeromq'
import { GraftError } from '../../lib/error.ts'
import { portsOf, type Connection, type Registration } from './connection.ts'
import type { Wire } from './message.ts'

/** How long the launcher may take to acknowledge, in ms. */
const patience = 10_000

/**
 * Tells the launcher of this kernel which ports it chose, and waits for the acknowledgement (Jupyter messaging, "Kernel startup handshake"; JEP 66).
 * A connection file for other clients is written beside the registration file.
 *
 * @returns the connection file's path, or null where it could not be written
 * @throws GraftError where the launcher does not acknowledge within ten seconds
 */
export async function register(registration: Registration, connection: Connection, wire: Wire): Promise<string | null> {
  const address = `tcp://${registration.ip}:${registration.port}`
  const socket = new Dealer({ linger: 1000, receiveTimeout: patience })
  const ports = portsOf(connection), inWords = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]))
  try {
    socket.connect(address)
    await socket.send(wire.packContent({ kernel_id: registration.kernelId, ...inWords }))
    const answer = await socket.receive().catch(() => null)
    if (!answer) throw new GraftError(`the launcher at ${address} has not acknowledged this kernel within ${patience / 1000} s`)
    wire.unpackContent(answer)
  } finally {
    socket.close()
  }
  return writeConnection(registration, { ...ports, transport: 'tcp', ip: connection.ip, key: connection.key, signature_scheme: `hmac-${connection.hash ?? 'sha256'}` })
}

function writeConnection({ path, kernelId }: Registration, content: object): string | null {
  const file = join(dirname(path), `kernel-${kernelId.replace(/[^\w.-]/g, '_')}.json`)
  try {
    writeFileSync(file, JSON.stringify(content, null, 2), { mode: 0o600, flag: 'wx' })
    return file
  } catch {
    // It is there already, or the folder takes none: the launcher knows the ports all the same.
    return null
  }
}
