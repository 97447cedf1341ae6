import { createHash, createHmac, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { crc32c } from '../../lib/hub/crc32c.ts'
import { packed } from './server.ts'

/** What the hosts have, and how they misbehave. */
export interface Stock {
  /** Kaggle's models: `google/mobilenet-v2/tensorFlow2/tf2-preview-feature-vector/4` → the folder of its files. */
  models: Record<string, string>
  /** Models that want credentials, by the same names. */
  locked?: string[]
  /** The one good login, `username:key`, or `Bearer token`. */
  login?: string
  /** TF Hub's handles that moved: `/google/…/feature_vector/4` → the name on Kaggle. */
  moved?: Record<string, string>
  /** Archives that any other host sends: `example.org/trunk.zip` → bytes. */
  files?: Record<string, Uint8Array>
  /** How storage treats its signed addresses: all are good; the first has expired when it is used; each is good once. */
  signatures?: 'good' | 'first expired' | 'once'
  /** The first download breaks off in its middle. */
  cutOnce?: boolean
  /** Storage states a wrong checksum of this kind. */
  wrong?: 'md5' | 'crc32c'
  /** Hosts that answer nothing but 503. */
  down?: string[]
}

export interface Seen { host: string, path: string, query: URLSearchParams, authorization: string | undefined,
  range: string | undefined, status: number }

/** The hosts of TF Hub, Kaggle and Google's storage, played on this machine. */
export interface Hosts {
  /** Node's fetch, with every host played here. */
  fetch: typeof globalThis.fetch
  /** For `GRAFT_HUB_MIRROR`: the same without the hosts' names, redirects staying here. */
  url: string
  requests: Seen[]
  close(): Promise<void>
}

/**
 * Plays tfhub.dev (which redirects to Kaggle's pages), www.kaggle.com (pages, API, basic and bearer login, JSON errors) and
 * storage.googleapis.com (signed addresses that expire, `X-Goog-Hash`, ranges, XML errors, no second way of logging in).
 *
 * Source: kagglehub 1.0 (clients.py, http_resolver.py), kagglesdk, tensorflow_hub 0.16 (resolver.py), and the redirects that are
 * quoted in their issues.
 */
export async function startHosts(stock: Stock): Promise<Hosts> {
  const secret = randomBytes(16), requests: Seen[] = [], used = new Set<string>(), archives = new Map<string, Promise<Buffer>>()
  let signed = 0, cuts = stock.cutOnce ? 1 : 0
  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.destroy(error as Error))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, 'http://mirror'), named = /^\/@([^/]+)(\/.*)$/.exec(url.pathname)
    const path = named?.[2] ?? url.pathname, direct = !request.headers['x-played']
    const host = named?.[1] ?? (/^\/(api\/v1\/)?models(\/|$)/.test(path) ? 'www.kaggle.com' : 'tfhub.dev')
    const { authorization, range } = request.headers
    response.on('close', () => requests.push({ host, path, query: url.searchParams, authorization, range,
      status: response.statusCode }))
    const to = (location: string) => {
      const next = new URL(location)
      return void response.writeHead(302, { location: direct ? `${base}/@${next.host}${next.pathname}${next.search}`
        : location }).end()
    }
    if (stock.down?.includes(host)) return void response.writeHead(503).end()
    if (host === 'tfhub.dev') return tfhub(path, url.searchParams, response, to)
    if (host === 'www.kaggle.com') return kaggle(path, url.searchParams, authorization, response, to)
    if (host === 'storage.googleapis.com') return await storage(path, url.searchParams, request, response)
    const file = stock.files?.[`${host}${path}`]
    if (!file) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.length }).end(file)
  }

  function tfhub(path: string, query: URLSearchParams, response: ServerResponse, to: (location: string) => void): void {
    const file = /\/model\.json$|\/group\d+-shard\d+of\d+(\.bin)?$/.exec(path)?.[0] ?? '', name = path.slice(0,
      path.length - file.length)
    const [owner, model, framework, variation, version] = stock.moved?.[name]?.split('/') ?? []
    query.set('tfhub-redirect', 'true')
    if (!owner) return to(`https://www.kaggle.com/models?${query}`)
    to(`https://www.kaggle.com/models/${owner}/${model}/frameworks/${framework}/variations/${variation}/versions/${version}${file}?${query}`)
  }

  function kaggle(path: string, query: URLSearchParams, authorization: string | undefined, response: ServerResponse,
    to: (location: string) => void): void {
    const page = /^\/models\/([\w-]+)\/([\w-]+)\/frameworks\/(\w+)\/variations\/([\w-]+)\/versions\/(\d+)(\/.+)?$/.exec(path)
    const api = /^\/api\/v1\/models\/([\w-]+)\/([\w-]+)\/(\w+)\/([\w-]+)\/(?:(\d+)\/download|get)$/.exec(path)
    if (page && (query.has('tf-hub-format') || query.has('tfjs-format'))) {
      const name = page.slice(1, 6).join('/')
      return stock.models[name] ? to(sign(name, page[6])) : void response.writeHead(404).end()
    }
    if (!api) return void response.writeHead(200,
      { 'content-type': 'text/html; charset=utf-8' }).end('<!DOCTYPE html><html>Kaggle</html>')
    const refuse = (code: number, message: string) =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ code, message }))
    const known = stock.login && (stock.login.startsWith('Bearer ') ? stock.login
      : `Basic ${Buffer.from(stock.login).toString('base64')}`)
    if (authorization && authorization !== known) return refuse(401, 'Unauthenticated')
    const [, owner, model, framework, variation, version] = api
    const prefix = `${owner}/${model}/${framework}/${variation}/`
    const versions = Object.keys(stock.models).filter(name => name.startsWith(prefix)).map(name =>
      Number(name.slice(prefix.length)))
    if (!versions.length || version && !versions.includes(Number(version))) return refuse(403,
      "Permission 'models.get' was denied")
    const name = `${prefix}${version ?? Math.max(...versions)}`
    if (stock.locked?.includes(name) && !authorization) return refuse(403, 'You must consent to the model before downloading it.')
    if (version) return to(sign(name))
    response.writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ id: 1, slug: variation, framework, versionNumber: Math.max(...versions) }))
  }

  /** A signed address, as Google's storage has them: good for three days. */
  function sign(name: string, file = '/bundle/archive.tar.gz'): string {
    const path = `/kagglesdsdata/models/${name}${file}`, first = signed++ === 0
    const ago = stock.signatures === 'first expired' && first ? 4 * 86_400_000 : 0
    const date = new Date(Date.now() - ago).toISOString().replaceAll(/[-:]|\.\d+/g, '')
    const query = new URLSearchParams({ 'X-Goog-Algorithm': 'GOOG4-RSA-SHA256', 'X-Goog-Date': date, 'X-Goog-Expires': '259200',
      'X-Goog-SignedHeaders': 'host', 'X-Goog-Nonce': `${signed}` })
    query.set('X-Goog-Signature', signature(path, query))
    return `https://storage.googleapis.com${path}?${query}`
  }

  const signature = (path: string, query: URLSearchParams) =>
    createHmac('sha256', secret).update(`${path}?${query.get('X-Goog-Date')}&${query.get('X-Goog-Nonce')}`).digest('hex')

  async function storage(path: string, query: URLSearchParams, request: IncomingMessage,
    response: ServerResponse): Promise<void> {
    const refuse = (status: number, code: string, message: string) => void response.writeHead(status,
      { 'content-type': 'application/xml' })
      .end(`<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${message}</Message></Error>`)
    if (request.headers.authorization) return refuse(400, 'InvalidArgument', 'Only one auth mechanism allowed')
    const given = query.get('X-Goog-Signature'), [, year, month, day,
      time] = /^(\d{4})(\d\d)(\d\d)T(\d{6})Z$/.exec(query.get('X-Goog-Date') ?? '')!
    if (given !== signature(path, query)) return refuse(403, 'SignatureDoesNotMatch', 'Access denied.')
    const made = Date.parse(`${year}-${month}-${day}T${time.replace(/(\d\d)(\d\d)(\d\d)/, '$1:$2:$3')}Z`)
    const expired = Date.now() - made > 1000 * Number(query.get('X-Goog-Expires')) || stock.signatures === 'once'
      && used.has(given)
    if (expired) return refuse(400, 'ExpiredToken', 'The provided token has expired.')
    used.add(given)
    const [, name, file] = /^\/kagglesdsdata\/models\/((?:[^/]+\/){4}\d+)\/(.+)$/.exec(path)!, folder = stock.models[name]
    const whole = file === 'bundle/archive.tar.gz' ? await archive(name) : existsSync(join(folder, file))
      && await readFile(join(folder, file))
    if (!whole) return refuse(404, 'NoSuchKey', 'The specified key does not exist.')
    const stated = (kind: 'md5' | 'crc32c') => stock.wrong === kind ? Buffer.from('something else') : whole
    const md5 = createHash('md5').update(stated('md5')).digest('base64'), crc = Buffer.alloc(4)
    crc.writeUInt32BE(crc32c(stated('crc32c')))
    const part = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? ''), start = Number(part?.[1] ?? 0)
    const end = Math.min(Number(part?.[2] || Infinity), whole.length - 1)
    response.writeHead(part ? 206 : 200, {
      'content-type': 'application/x-gzip', 'accept-ranges': 'bytes', etag: `"${createHash('md5').update(whole).digest('hex')}"`,
      'x-goog-hash': stock.wrong === 'crc32c' ? `crc32c=${crc.toString('base64')}` : [`crc32c=${crc.toString('base64')}`,
        `md5=${md5}`],
      'content-length': end + 1 - start,
      ...part ? { 'content-range': `bytes ${start}-${end}/${whole.length}` } : {},
    })
    if (cuts-- > 0) response.write(whole.subarray(start, start + (whole.length - start >> 1)), () => setTimeout(() =>
      response.destroy(), 20))
    else response.end(whole.subarray(start, end + 1))
  }

  const archive = (name: string) => {
    if (!archives.has(name)) archives.set(name, packed(stock.models[name]))
    return archives.get(name)!
  }

  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: base,
    requests,
    fetch: (input, init) => {
      const url = new URL(input as URL)
      return globalThis.fetch(`${base}/@${url.host}${url.pathname}${url.search}`,
        { ...init, headers: { ...init?.headers as Record<string, string>, 'x-played': '1' } })
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => { server.close(resolve) })
    },
  }
}
