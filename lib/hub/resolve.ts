import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GraftError } from '../error.ts'
import { host } from '../host.ts'
import { progressBar } from '../show/progress.ts'
import { cached, cacheFolder, entryOf, isWhole } from './cache.ts'
import { download, type Patience } from './download.ts'
import { nameOf, parseHandle } from './handle.ts'
import { unpack } from './unpack.ts'

/** Options of {@link resolve}, all for tests and unusual networks. */
export interface ResolveOptions {
  environment?: NodeJS.ProcessEnv
  patience?: Partial<Patience>
}

/**
 * Gives the local folder of the model behind `handle`, downloading it on first use. Addresses are asked for TensorFlow Hub's
 * compressed format (`?tf-hub-format=compressed`); the folder is cached (see {@link cacheFolder}) and found again without a
 * network. Aborted by the host's signal. Throws a GraftError that says what went wrong and the way out, and leaves nothing
 * half-written.
 *
 * @example
 * const folder = await hub.resolve('https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5')
 */
export async function resolve(handle: string, { environment = process.env, patience }: ResolveOptions = {}): Promise<string> {
  const { signal } = host(), parsed = parseHandle(handle, environment), cache = cacheFolder(environment)
  if (parsed.kind === 'path') {
    const info = await stat(parsed.path).catch(() => null)
    if (!info)
      throw new GraftError(
        `no such file or folder: '${parsed.path}'. Expected a folder with saved_model.pb: hub.load('./folder').`,
      )
    if (info.isDirectory()) return parsed.path
    const key = `${parsed.path} ${info.size} ${info.mtimeMs}`
    return await cached(cache, key, temporary => unpack(parsed.path, join(temporary, 'model'), handle, signal), signal)
  }
  if (await isWhole(entryOf(cache, parsed.handle))) return entryOf(cache, parsed.handle)
  const url = new URL(parsed.url)
  url.searchParams.set('tf-hub-format', 'compressed')
  return await cached(cache, parsed.handle, async temporary => {
    const archive = join(temporary, 'archive'), bar = progressBar({ label: `Downloading ${nameOf(parsed.handle)}`, bytes: true })
    let shown = 0
    try {
      await download(url, archive, signal, (received, total) => {
        if (total !== null) bar.total(total)
        bar.tick(received - shown)
        shown = received
      }, patience)
      const model = await unpack(archive, join(temporary, 'model'), parsed.handle, signal)
      bar.done()
      return model
    } finally {
      bar.stop()
    }
  }, signal)
}
