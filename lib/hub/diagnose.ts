import { readdir, stat, statfs } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { GraftError } from '../error.ts'
import { count, plural } from '../show/format.ts'
import { cacheFolders, entryOf, findCached, writableCache } from './cache.ts'
import { kaggleCredentials } from './credentials.ts'
import { reasonOf } from './download.ts'
import { type RemoteHandle, sourcesOf, type Source } from './fetch-model.ts'
import { Final, follow, type Hop, type Network, shown } from './follow.ts'
import { type Handle, nameOf, parseHandle } from './handle.ts'
import { apiOf, pageOf } from './kaggle.ts'
import { load } from './load.ts'
import { placeOf } from './places.ts'
import { refusal } from './refusal.ts'
import { isWhole, kindOfFolder } from './whole.ts'

/** What was looked at, how it went (`null`: for information), and what was seen. */
export interface Finding { good: boolean | null, title: string, text: string }

/** Options of {@link diagnose}, for tests. */
export interface DiagnoseOptions { environment?: NodeJS.ProcessEnv, fetch?: Network['fetch'], signal?: AbortSignal }

/** How long a server may take to answer, in milliseconds. */
const patience = 20_000
/** A model and its archive, unpacked beside it, in bytes. */
const roomNeeded = 1e9

/**
 * Follows a handle step by step and tells of each: how it is read, what the cache has, which credentials are seen (by the place
 * where they are, never themselves), each address that is asked with its answer, and what to try. Downloads nothing but the first
 * bytes; a model that is here already is opened.
 *
 * @example
 * const handle = 'google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2'
 * for await (const { good, title, text } of diagnose(handle)) console.log(good, title, text)
 */
export async function* diagnose(handle: string, { environment = process.env, fetch,
  signal = new AbortController().signal }: DiagnoseOptions = {}):
AsyncGenerator<Finding> {
  let parsed: Handle
  try {
    parsed = parseHandle(handle, environment)
  } catch (error) {
    yield { good: false, title: 'Handle', text: (error as Error).message }
    return
  }
  yield { good: true, title: 'Handle', text: kindOf(parsed) }
  if (parsed.kind === 'path') return yield* local(parsed.path, handle)
  const caches = cacheFolders(environment), found = await findCached(caches, parsed.handle)
  yield await cacheFinding(caches, parsed.handle, found)
  if (found) yield await opens(handle)
  yield* surroundings(environment)
  if (environment.GRAFT_OFFLINE) {
    return yield { good: found !== null, title: 'Network',
      text: 'GRAFT_OFFLINE is set: no server is asked. Unset it to download' }
  }
  const network: Network = { credentials: () => kaggleCredentials(environment).catch(() => null), fetch }
  for (const source of sourcesOf(parsed, environment)) if (yield* follows(source, network, signal)) return
  yield { good: null, title: 'Way out',
    text: `download the model in a browser${pageFor(parsed)}, unpack it, and open the folder: ` +
    "hub.load('./folder'). GRAFT_HUB_MIRROR names a mirror to ask instead" }
}

function kindOf(handle: Handle): string {
  const name = nameOf(handle.handle)
  switch (handle.kind) {
    case 'path': return `a path on this machine: ${handle.path}`
    case 'kaggle': return `'${name}' on Kaggle: ${pageOf(handle.model)}${handle.model.version === null ? ' (the newest version)' : ''}`
    case 'archive': return `an archive: ${shown(handle.url)}`
    case 'tfjs': return `a TensorFlow.js model: ${shown(handle.url)}`
    case 'hub': {
      const place = placeOf(handle.url)
      return `'${name}' on ${handle.url.host}${place ? `, on Kaggle since 2023: ${pageOf(place)}` : ''}`
    }
  }
}

const pageFor = (handle: RemoteHandle): string => {
  const model = handle.kind === 'kaggle' ? handle.model : handle.kind === 'hub' ? placeOf(handle.url) : null
  return model ? ` (${pageOf(model)})` : ''
}

async function* local(path: string, handle: string): AsyncGenerator<Finding> {
  const info = await stat(path).catch(() => null)
  if (!info) return yield { good: false, title: 'Path', text: `${path} does not exist` }
  if (info.isDirectory()) {
    const kind = await kindOfFolder(path), names = (await readdir(path)).slice(0, 8).join(', ')
    if (!kind) yield { good: false, title: 'Folder',
      text: `it has no saved_model.pb and no model.json; it holds ${names || 'nothing'}` }
    else if (!(await isWhole(path))) yield { good: false, title: 'Folder',
      text: `a ${kind} model without all of its weights; it holds ${names}` }
    else yield { good: true, title: 'Folder', text: `a ${kind} model with its weights` }
  } else yield { good: true, title: 'File', text: `${(info.size / 1e6).toFixed(1)} MB, taken for an archive` }
  yield await opens(handle)
}

/** Opens what is here, as a cell would. */
async function opens(handle: string): Promise<Finding> {
  try {
    const model = await load(handle)
    return { good: true, title: 'Opens', text: `${plural(model.layers.length, 'layer')}, ${count(model.countParams())} weights` }
  } catch (error) {
    return { good: false, title: 'Opens', text: (error as Error).message }
  }
}

async function cacheFinding(caches: string[], handle: string, found: string | null): Promise<Finding> {
  if (found) return { good: true, title: 'Cache', text: `it is here already: ${found}` }
  const broken = caches.map(cache => entryOf(cache, handle)).find(entry => existsSync(entry))
  const folder = await writableCache(caches), room = await freeBytes(folder)
  const text = `${broken ? `${broken} is not whole and is fetched anew` : 'not here yet'}; it would go to ${folder}`
  if (room !== null && room < roomNeeded) return { good: false, title: 'Cache',
    text: `${text}, where ${(room / 1e9).toFixed(1)} GB are free: GRAFT_CACHE_DIR names another disk` }
  return { good: true, title: 'Cache', text: `${text}${room === null ? '' : ` (${(room / 1e9).toFixed(0)} GB free)`}` }
}

async function freeBytes(folder: string): Promise<number | null> {
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return statfs(folder).then(({ bavail, bsize }) => bavail * bsize, () => null)
}

async function* surroundings(environment: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  try {
    const credentials = await kaggleCredentials(environment)
    yield { good: null, title: 'Credentials', text: credentials ? `Kaggle's, of ${credentials.from}`
      : 'none for Kaggle; most models need none' }
  } catch (error) {
    yield { good: false, title: 'Credentials', text: (error as Error).message }
  }
  if (environment.GRAFT_HUB_MIRROR) yield { good: null, title: 'Mirror',
    text: `${environment.GRAFT_HUB_MIRROR} is asked for everything (GRAFT_HUB_MIRROR)` }
  const proxy = environment.HTTPS_PROXY ?? environment.https_proxy
  if (proxy && !environment.NODE_USE_ENV_PROXY) {
    yield { good: null, title: 'Proxy',
      text: 'HTTPS_PROXY is set, but Node takes it only with NODE_USE_ENV_PROXY=1: set that too where servers are not reached' }
  }
}

/** Walks one way to the model; tells whether it ended in something that can be a model. */
async function* follows(source: Source, network: Network, signal: AbortSignal): AsyncGenerator<Finding, boolean> {
  let url: URL
  if (source.kind === 'newest') {
    const answer = yield* ask(new URL(apiOf(source.model, source.origin)), {}, network, signal)
    const { versionNumber } = await answer?.response.json().catch(() => ({})) as { versionNumber?: number } ?? {}
    if (!versionNumber) return false
    yield { good: true, title: 'Newest version', text: `${versionNumber}` }
    url = new URL(apiOf({ ...source.model, version: versionNumber }, source.origin))
  } else url = source.url
  const answer = yield* ask(url, { range: 'bytes=0-511', 'accept-encoding': 'identity' }, network, signal)
  if (!answer) return false
  const content = contentOf(await firstBytes(answer.response))
  const type = answer.response.headers.get('content-type') ?? 'of no stated type'
  const good = source.kind === 'files' ? content === 'JSON' : /archive/.test(content)
  yield { good, title: 'Content', text: good ? content
    : `${content} (${type}), where ${source.kind === 'files' ? 'a model.json' : 'an archive'} is expected` }
  return good
}

/** Asks an address and tells of each hop; null where it did not end well. */
async function* ask(url: URL, headers: Record<string, string>, network: Network, signal: AbortSignal):
AsyncGenerator<Finding, { response: Response } | null> {
  const hops: Hop[] = [], told = { ...network, onHop: (hop: Hop) => { hops.push(hop) } }
  try {
    const { response, url: end, hops: all } = await follow(url, { ...headers, 'user-agent': 'graft' }, AbortSignal.any([signal,
      AbortSignal.timeout(patience)]), told)
    const good = response.status === 200 || response.status === 206
    for (const hop of all.slice(0, -1)) yield { good: true, title: `${hop.status}`, text: said(hop) }
    if (good) yield { good: true, title: `${response.status}`, text: said(all.at(-1)!) }
    else yield { good: false, title: `${response.status}`,
      text: `${said(all.at(-1)!)}: ${(await refusal(response, end, all)).message}` }
    return good ? { response } : null
  } catch (error) {
    for (const hop of hops) yield { good: true, title: `${hop.status}`, text: said(hop) }
    const last = hops.at(-1), at = last?.location ? URL.parse(last.location, last.url) ?? last.url : last?.url ?? url
    const why = error instanceof Final || error instanceof GraftError ? error.message
      : (error as Error).name === 'TimeoutError' ? `no answer within ${patience / 1000} s` : reasonOf(error)
    yield { good: false, title: 'No answer', text: `${shown(at)}: ${why}` }
    return null
  }
}

function said({ url, location, type, length, credentials }: Hop): string {
  const next = location && URL.parse(location, url), size = length === null || length <= 512 ? ''
    : `, ${(length / 1e6).toFixed(1)} MB`
  const sent = credentials ? `, shown the credentials of ${credentials}` : ''
  return `${shown(url)}${sent} → ${next ? shown(next) : `${type ?? 'no type'}${size}`}`
}

async function firstBytes(response: Response): Promise<Buffer> {
  const reader = response.body?.getReader(), first = await reader?.read()
  await reader?.cancel()
  return Buffer.from(first?.value ?? [])
}

function contentOf(bytes: Buffer): string {
  const start = bytes.toString('hex', 0, 4), text = bytes.toString('latin1', 0, 200).trimStart()
  if (start.startsWith('1f8b')) return 'a gzipped archive'
  if (start.startsWith('504b')) return 'a zip archive'
  if (bytes.toString('latin1', 257, 262) === 'ustar') return 'a tar archive'
  if (text.startsWith('{')) return 'JSON'
  return text.startsWith('<') ? 'a web page' : bytes.length ? 'something unknown' : 'nothing'
}
