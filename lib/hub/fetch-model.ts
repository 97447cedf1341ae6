import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GraftError } from '../error.ts'
import { progressBar, type ProgressBar } from '../show/progress.ts'
import { download, type Patience } from './download.ts'
import { follow, type Network, shown } from './follow.ts'
import { type Handle, nameOf } from './handle.ts'
import { apiOf, kaggleOrigin, type KaggleModel, pageOf } from './kaggle.ts'
import { placeOf } from './places.ts'
import { refusal } from './refusal.ts'
import { safePath, unpack } from './unpack.ts'
import { shardsIn } from './whole.ts'

/** A handle that leads to a server. */
export type RemoteHandle = Exclude<Handle, { kind: 'path' }>

/** Where a model's files may be had. */
export type Source =
  | { kind: 'archive', url: URL }
  /** `model.json` and the files that it names, beside it. */
  | { kind: 'files', url: URL }
  /** A variation of which the newest version must be asked for first. */
  | { kind: 'newest', model: KaggleModel, origin: string }

/**
 * The places where a handle's model is looked for, in order: the address itself in the format it speaks; for a model of TF Hub's
 * that moved to Kaggle, Kaggle too, unless a mirror stands for all.
 */
export function sourcesOf(handle: RemoteHandle, environment: NodeJS.ProcessEnv): Source[] {
  switch (handle.kind) {
    case 'kaggle': return [kaggleSource(handle.model, handle.origin)]
    case 'archive': return [{ kind: 'archive', url: handle.url }]
    case 'tfjs': return [{ kind: 'files', url: withFormat(handle.url, 'tfjs-format', 'file') }]
    case 'hub': {
      const isTfjs = handle.url.pathname.includes('/tfjs-model/') || handle.url.searchParams.has('tfjs-format')
      const url = withFormat(handle.url, isTfjs ? 'tfjs-format' : 'tf-hub-format', 'compressed')
      const place = environment.GRAFT_HUB_MIRROR ? null : placeOf(handle.url)
      return [{ kind: 'archive', url }, ...place ? [kaggleSource(place, kaggleOrigin)] : []]
    }
  }
}

const kaggleSource = (model: KaggleModel, origin: string): Source =>
  model.version === null ? { kind: 'newest', model, origin } : { kind: 'archive', url: new URL(apiOf(model, origin)) }

/** TF Hub's hosts tell formats apart by the query; other hosts of a `model.json` have it as a plain file, maybe signed. */
function withFormat(url: URL, key: string, format: string): URL {
  const result = new URL(url), plain = key === 'tfjs-format' && format === 'file' && !/^(www\.)?tfhub\.dev$/.test(url.hostname)
  if (!plain) result.searchParams.set(key, format)
  return result
}

/** What a download needs besides its address. */
export interface FetchOptions {
  environment: NodeJS.ProcessEnv
  signal: AbortSignal
  network: Network
  patience?: Partial<Patience>
}

/**
 * Downloads the model of a handle into the folder `temporary` and returns the folder of its files. Shows the progress. Throws a
 * GraftError that tells of each place that was tried.
 */
export async function fetchModel(handle: RemoteHandle, temporary: string, options: FetchOptions): Promise<string> {
  const failures: string[] = []
  for (const [i, source] of sourcesOf(handle, options.environment).entries()) {
    try {
      const place = join(temporary, `${i}`)
      await mkdir(place)
      return await fetchFrom(source, handle.handle, place, options)
    } catch (error) {
      if (!(error instanceof GraftError)) throw error
      failures.push(error.message)
    }
  }
  const [first, ...others] = failures
  throw new GraftError([first, ...others.map(message => `Tried there, too: ${message}`)].join('\n'))
}

async function fetchFrom(source: Source, handle: string, temporary: string, options: FetchOptions): Promise<string> {
  const { signal, network, patience } = options
  const files = source.kind === 'files', bar = progressBar({ label: `Downloading ${nameOf(handle)}`, bytes: !files })
  const get = (url: URL, file: string, bytes: ProgressBar) => {
    let before = 0
    return download(url, file, signal, network, (received, total) => {
      if (total !== null) bytes.total(total)
      bytes.tick(received - before)
      before = received
    }, patience)
  }
  try {
    if (files) return await fetchFiles(source.url, join(temporary, 'model'), handle, get, bar)
    const url = source.kind === 'archive' ? source.url : await newest(source.model, source.origin, options)
    await get(url, join(temporary, 'archive'), bar)
    const model = await unpack(join(temporary, 'archive'), join(temporary, 'model'), handle, signal)
    bar.done()
    return model
  } finally {
    bar.stop()
  }
}

/** `model.json`, then each file that it names, with the query of the former: a bar of files, and within it one of each file's bytes. */
async function fetchFiles(url: URL, folder: string, handle: string,
  get: (url: URL, file: string, bytes: ProgressBar) => Promise<void>, bar: ProgressBar): Promise<string> {
  const one = async (from: URL, path: string) => {
    const file = join(folder, safePath(path, handle)), bytes = progressBar({ label: path, bytes: true })
    await mkdir(dirname(file), { recursive: true })
    try {
      await get(from, file, bytes)
      bytes.done()
      bar.tick()
    } finally {
      bytes.stop()
    }
  }
  await one(url, 'model.json')
  const paths = new Set(shardsIn(await readFile(join(folder, 'model.json'), 'utf8')))
  bar.total(paths.size + 1)
  for (const path of paths) {
    const from = new URL(url)
    from.pathname = url.pathname.replace(/[^/]*$/, '') + path
    await one(from, path)
  }
  bar.done()
  return folder
}

/** Where the newest version of a variation is downloaded. */
async function newest(model: KaggleModel, origin: string, { signal, network }: FetchOptions): Promise<URL> {
  const url = new URL(apiOf(model, origin))
  const { response, url: end, hops } = await follow(url, { accept: 'application/json' }, signal, network)
    .catch(error => { throw new GraftError(`cannot reach ${shown(url)}: ${error.cause?.message ?? error.message}. A copy you have opens with hub.load('./folder').`) })
  if (response.status !== 200) {
    const { message } = await refusal(response, end, hops)
    throw new GraftError(`cannot load ${shown(url)}: ${message}. A copy you have opens with hub.load('./folder').`)
  }
  const { versionNumber: version } = await response.json().catch(() => ({})) as { versionNumber?: unknown }
  if (!Number.isSafeInteger(version)) {
    throw new GraftError(`Kaggle does not tell the newest version of ${pageOf(model)}. Add one to the handle, e.g. …/${model.variation}/1; ` +
      'a copy you have opens with hub.load(\'./folder\').')
  }
  return new URL(apiOf({ ...model, version: version as number }, origin))
}
