import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Crc32c } from './crc32c.ts'

/** What a file must add up to, as a server or the user states it. */
export interface Checksum { algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512' | 'crc32c', value: string,
  encoding: 'base64' | 'hex' }

/**
 * The checksums that an answer states of its whole body: Google's storage (`X-Goog-Hash: md5=…, crc32c=…`; composed objects have
 * the latter alone), `Repr-Digest` and `Content-Digest` (RFC 9530), the older `Digest` (RFC 3230) and `Content-MD5`. Of a part
 * (206), only those that are of the whole count.
 */
export function statedChecksums(headers: Headers): Checksum[] {
  const found: Checksum[] = []
  const add = (name: string, value: string) => {
    const key = name.toLowerCase()
    if (Object.hasOwn(known, key)) found.push({ algorithm: known[key], value: value.replaceAll(':', ''), encoding: 'base64' })
  }
  const lists = [headers.get('x-goog-hash'), headers.get('repr-digest'), headers.get('digest')]
  if (!headers.has('content-range')) lists.push(headers.get('content-digest'))
  for (const list of lists) {
    for (const [, name, value] of (list ?? '').matchAll(/([\w-]+)=(:?[\w+/]+=*:?)/g)) add(name, value)
  }
  const md5 = headers.get('content-md5')
  if (md5 && !headers.has('content-range')) add('md5', md5)
  return found
}

const known: Record<string, Checksum['algorithm']> = {
  md5: 'md5', crc32c: 'crc32c', sha: 'sha1', 'sha-256': 'sha256', 'sha-512': 'sha512',
}

/** The checksum that a handle ends in, as pip writes it: `https://…/model.tar.gz#sha256=…`. */
export function wantedChecksum(url: URL): Checksum[] {
  const match = /^#(md5|sha1|sha256|sha512)=([\da-f]+)$/i.exec(url.hash)
  return match ? [{ algorithm: match[1].toLowerCase() as 'md5', value: match[2].toLowerCase(), encoding: 'hex' }] : []
}

/** The first checksum that a file does not have, or null. */
export async function wrongChecksum(path: string, checksums: Checksum[]): Promise<Checksum | null> {
  const made = checksums.map(({ algorithm }) => algorithm === 'crc32c' ? new Crc32c() : createHash(algorithm))
  if (!made.length) return null
  for await (const chunk of createReadStream(path,
    { highWaterMark: 2 ** 20 })) for (const hash of made) hash.update(chunk as Buffer)
  return checksums.find(({ value, encoding }, i) => made[i].digest(encoding) !== value) ?? null
}
