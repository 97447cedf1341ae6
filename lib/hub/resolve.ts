import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { putBack } from '../put-back.ts'
import { cached, cachedHandles, cacheFolders, findCached, writableCache } from './cache.ts'
import { kaggleCredentials } from './credentials.ts'
import type { Patience } from './download.ts'
import { fetchModel } from './fetch-model.ts'
import type { Network } from './follow.ts'
import { type Handle, parseHandle, pathOf } from './handle.ts'
import type { KaggleModel } from './kaggle.ts'
import { unpack } from './unpack.ts'
import { isWhole, kindOfFolder } from './whole.ts'

/** Options of {@link resolve}, all for tests and unusual networks. */
export interface ResolveOptions {
  environment?: NodeJS.ProcessEnv
  patience?: Partial<Patience>
  /** Takes the place of Node's `fetch`. */
  fetch?: Network['fetch']
  onHop?: Network['onHop']
}

/**
 * Gives the local folder of the model behind `handle`, downloading it on first use. A handle is what {@link parseHandle} reads:
 * TF Hub, Kaggle, an archive, a `model.json`, a folder. The folder is cached (see {@link cacheFolders}) and found again without a
 * network; an address without a version keeps giving what it gave first. With `GRAFT_OFFLINE` set no server is asked. Aborted by
 * the host's signal. Throws a GraftError that says what went wrong and the way out, and leaves nothing half-written.
 *
 * @example
 * const folder = await hub.resolve('https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5')
 */
export async function resolve(handle: string, { environment = process.env, patience, fetch,
  onHop }: ResolveOptions = {}): Promise<string> {
  if (typeof handle === 'string' && !existsSync(pathOf(handle.trim()))) await putBack(pathOf(handle.trim()))
  const { signal } = host(), parsed = parseHandle(handle, environment), caches = cacheFolders(environment)
  if (parsed.kind === 'path') return await local(parsed, caches, signal)
  const found = await findCached(caches, parsed.handle) ?? await kagglehubs(parsed, environment)
  if (found) return found
  if (environment.GRAFT_OFFLINE) throw await offline(parsed.handle, caches, 'GRAFT_OFFLINE is set')
  const network: Network = { credentials: () => kaggleCredentials(environment), fetch, onHop }
  try {
    return await cached(await writableCache(caches), parsed.handle,
      temporary => fetchModel(parsed, temporary, { environment, signal, network, patience }), signal)
  } catch (error) {
    if (!(error instanceof GraftError) || !/^cannot reach /.test(error.message)) throw error
    const known = await cachedHandles(caches)
    throw known.length ? new GraftError(`${error.message} ${opensOffline(known)}`) : error
  }
}

/** A folder as it stands; an archive, unpacked into the cache. */
async function local({ path, handle }: Extract<Handle, { kind: 'path' }>, caches: string[],
  signal: AbortSignal): Promise<string> {
  const info = await stat(path).catch(() => null)
  if (!info)
    throw new GraftError(`no such file or folder: '${path}'. Expected a folder with saved_model.pb: hub.load('./folder').`)
  if (info.isDirectory()) {
    if (!(await kindOfFolder(path))) await explainWrongFolder(path)
    return path
  }
  const key = `${path} ${info.size} ${info.mtimeMs}`
  return await findCached(caches, key) ??
    await cached(await writableCache(caches), key, temporary => unpack(path, join(temporary, 'model'), handle, signal), signal)
}

/** Where a folder is not the model's but lies around it or in it, says which is. Else opening it says what is missing. */
async function explainWrongFolder(path: string): Promise<void> {
  const above = join(path, '..')
  const inside = /[/\\](variables|assets)[/\\]?$/.test(path) && await kindOfFolder(above) ? [above] : await modelsIn(path, 3)
  if (!inside.length) return
  const named = inside.slice(0, 3).map(folder => `hub.load('./${relative(process.cwd(), folder)}')`)
  throw new GraftError(`'${path}' is not a model's folder: it has no saved_model.pb and no model.json. Did you mean ${named.join(' or ')}?`)
}

async function modelsIn(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(entries.filter(entry => entry.isDirectory()).slice(0, 100).map(async ({ name }) => {
    const inner = join(folder, name)
    return await kindOfFolder(inner) ? [inner] : depth > 1 ? await modelsIn(inner, depth - 1) : []
  }))
  return found.flat()
}

/** What kagglehub has downloaded already, where it marks it as complete. */
async function kagglehubs(handle: Handle, environment: NodeJS.ProcessEnv): Promise<string | null> {
  if (handle.kind !== 'kaggle' || handle.model.version === null) return null
  const { owner, model, framework, variation, version }: KaggleModel = handle.model
  const root = environment.KAGGLEHUB_CACHE ?? join(environment.HOME ?? homedir(), '.cache', 'kagglehub')
  const folder = join(root, 'models', owner, model, framework, variation, `${version}`)
  const complete = await stat(`${folder}.complete`).then(() => true, () => false)
  return complete && await isWhole(folder) ? folder : null
}

async function offline(handle: string, caches: string[], why: string): Promise<GraftError> {
  const known = await cachedHandles(caches)
  return new GraftError(`'${handle}' is not in the cache (${caches.join(', ')}), and no server is asked: ${why}. ` +
    (known.length ? opensOffline(known) : 'A copy you have opens with hub.load(\'./folder\').'))
}

const opensOffline = (handles: string[]): string =>
  `Without a network these open: ${handles.slice(0, 8).map(handle => `hub.load('${handle}')`).join(', ')}` +
  `${handles.length > 8 ? `, and ${handles.length - 8} more` : ''}; a copy you have with hub.load('./folder').`
