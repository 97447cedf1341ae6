import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createGzip, gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { pack } from 'tar-stream'

/** How a path misbehaves. */
export type Fault =
  | 'unauthorized'
  | 'forbidden'
  | 'missing'
  | 'gone'
  | 'busy'
  | 'slow'
  | 'silent'
  | 'cut'
  | 'cut once'
  | 'corrupt'
  | 'not a tar'
  | 'empty'
  | 'page'
  | 'wrong md5'
  | 'redirect'
  | 'bucket'

/** A running mirror: its address, and the requests it has had. */
export interface Mirror {
  url: string
  requests: { method: string, path: string, format: string | null, range: string | undefined }[]
  close(): Promise<void>
}

/**
 * A mirror of TensorFlow Hub on this machine. `GET /any/path?tf-hub-format=compressed` sends the folder that `models` gives for
 * `/any/path` as a gzipped tar; `tf-hub-format=uncompressed` answers 303 with a `gs://` address, as TF Hub does. `faults` makes
 * paths misbehave.
 *
 * @example
 * const mirror = await startMirror({ '/google/tf2-preview/mobilenet_v2/feature_vector/4': folder })
 * process.env.GRAFT_HUB_MIRROR = mirror.url
 */
export async function startMirror(
  models: Record<string, string | Uint8Array>,
  faults: Record<string, Fault> = {},
  port = 0,
): Promise<Mirror> {
  const requests: Mirror['requests'] = [],
    archives = new Map<string, Promise<Buffer>>(),
    seen = new Set<string>()
  const archive = (path: string) => {
    const model = models[path]
    if (!archives.has(path)) archives.set(path, typeof model === 'string' ? packed(model) : Promise.resolve(Buffer.from(model)))
    return archives.get(path)!
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.destroy(error as Error))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://mirror'),
      path = url.pathname,
      format = url.searchParams.get('tf-hub-format')
    requests.push({ method: request.method!, path, format, range: request.headers.range })
    const fault = faults[path],
      first = !seen.has(path)
    seen.add(path)
    const status = ({ unauthorized: 401, forbidden: 403, missing: 404, gone: 410, busy: 503 } as Record<string, number>)[fault]
    if (status) return void response.writeHead(status).end()
    if (fault === 'redirect') return void response.writeHead(302, { location: `/moved${path}${url.search}` }).end()
    if (fault === 'silent') return
    if (fault === 'page')
      return void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>A page about the model</html>')
    const known = path.replace(/^\/moved/, '')
    if (!models[known]) return void response.writeHead(404).end()
    if (format === 'uncompressed' || fault === 'bucket')
      return void response.writeHead(303, { location: `gs://models${path}` }).end(`gs://models${path}`)
    await send(request, response, await archive(known), fault, first)
  }

  await new Promise<void>(resolve => {
    server.listen(port, '127.0.0.1', resolve)
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close: () => close(server) }
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  whole: Buffer,
  fault: Fault | undefined,
  first: boolean,
): Promise<void> {
  let body = whole
  if (fault === 'not a tar') body = gzipSync('not a tar archive, however one looks at it')
  if (fault === 'empty') body = gzipSync(Buffer.alloc(1024))
  if (fault === 'corrupt') {
    body = Buffer.from(whole)
    for (let i = body.length >> 1; i < (body.length >> 1) + 64; i++) body[i] ^= 0x5a
  }
  const md5 = createHash('md5')
    .update(fault === 'wrong md5' ? 'something else' : body)
    .digest('base64')
  const headers = {
    'content-type': 'application/x-tar-gz',
    'accept-ranges': 'bytes',
    etag: `"${md5}"`,
    'x-goog-hash': `md5=${md5}`,
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  response.writeHead(start ? 206 : 200, {
    ...headers,
    'content-length': body.length - start,
    ...(start ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
  })
  const cut = fault === 'cut' || (fault === 'cut once' && first)
  if (cut) {
    response.write(body.subarray(start, start + ((body.length - start) >> 1)), () => setTimeout(() => response.destroy(), 20))
  } else if (fault === 'slow') {
    for (let at = start; at < body.length && !response.destroyed; at += 4096) {
      response.write(body.subarray(at, at + 4096))
      await new Promise(resolve => {
        setTimeout(resolve, 20)
      })
    }
    response.end()
  } else response.end(body.subarray(start))
}

/** A folder as TF Hub packs it: gzipped tar, the model's files at the root. */
export async function packed(folder: string): Promise<Buffer> {
  const tar = pack(), chunks: Buffer[] = []
  const collected = (async () => { for await (const chunk of tar.pipe(createGzip({ level: 1 }))) chunks.push(chunk as Buffer) })()
  tar.entry({ name: './', type: 'directory' })
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(entry.parentPath, entry.name),
      name = `./${path.slice(folder.length + 1)}`
    if (entry.isDirectory()) tar.entry({ name: `${name}/`, type: 'directory' })
    else tar.entry({ name, size: (await stat(path)).size }, await readFile(path))
  }
  tar.finalize()
  await collected
  return Buffer.concat(chunks)
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => { server.close(resolve) })
}

if (process.argv[1] === import.meta.filename) {
  const [port, ...pairs] = process.argv.slice(2)
  const mirror = await startMirror(Object.fromEntries(pairs.map(pair => pair.split('=') as [string, string])), {}, Number(port))
  console.log(mirror.url)
}

