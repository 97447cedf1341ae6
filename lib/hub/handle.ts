import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GraftError } from '../error.ts'
import { isKaggle, kaggleOrigin, parseKaggleAddress, parseKagglehub, type KaggleModel } from './kaggle.ts'

/** What a handle points at. `handle` is the text as it was given, which names the entry in the cache. */
export type Handle =
  /** A folder or an archive on this machine. */
  | { kind: 'path', handle: string, path: string }
  /** A model on a server that speaks TF Hub's protocol. */
  | { kind: 'hub', handle: string, url: URL }
  /** A model on Kaggle, and who is asked for it: Kaggle or a mirror. */
  | { kind: 'kaggle', handle: string, model: KaggleModel, origin: string }
  /** An archive anywhere, sent as it is. */
  | { kind: 'archive', handle: string, url: URL }
  /** The `model.json` of a TensorFlow.js model; its weights lie beside it. */
  | { kind: 'tfjs', handle: string, url: URL }

const example = 'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5'

/**
 * Reads a handle: an address on TensorFlow Hub, a Kaggle page or download, kagglehub's short form
 * (`google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2`), an archive's address, the address of a `model.json`, or a local
 * folder or archive (`./models/trunk`, `~/trunk.tar.gz`, `file:///…`). Where the environment variable `GRAFT_HUB_MIRROR` is set,
 * it replaces the origin of every address: `https://tfhub.dev/google/x/1` is fetched from `$GRAFT_HUB_MIRROR/google/x/1`, a
 * Kaggle model from `$GRAFT_HUB_MIRROR/api/v1/models/…`. Throws a GraftError for anything else.
 *
 * @example
 * parseHandle('https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5').kind // 'hub'
 */
export function parseHandle(handle: string, environment: NodeJS.ProcessEnv = process.env): Handle {
  const text = typeof handle === 'string' ? handle.trim() : ''
  if (!text) {
    const received = typeof handle === 'string' ? 'an empty text' : String(handle)
    throw new GraftError(`expected a handle, e.g. '${example}' or './folder'; received ${received}.`)
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1].toLowerCase()
  if (scheme === 'file') return local(text, filePath(text))
  if (scheme === 'http' || scheme === 'https') return remote(text, environment.GRAFT_HUB_MIRROR)
  if (scheme && !/^[a-z]$/.test(scheme)) {
    throw new GraftError(`a handle cannot start with '${scheme}:' ('${text}'). ` +
      "Expected https:, http:, file: or a local folder: hub.load('./folder').")
  }
  const path = pathOf(text)
  if (existsSync(path)) return local(text, path)
  const model = parseKagglehub(text)
  if (model) return { kind: 'kaggle', handle: text, model, origin: mirrorOf(environment.GRAFT_HUB_MIRROR)?.href ?? kaggleOrigin }
  throw new GraftError(missing(text, path))
}

/** Where on this machine a handle leads to, if it is no address. */
export const pathOf = (handle: string): string => resolve(handle.replace(/^~(?=$|[/\\])/, homedir()))

function local(handle: string, path: string): Handle {
  const file = /\.(h5|hdf5|keras)$/i.exec(path)
  if (file) throw new GraftError(`'${handle}' is a ${file[0]} file of Keras, not a hub model. Open it with load('${handle}').`)
  return { kind: 'path', handle, path: /[/\\]model\.json$/.test(path) ? resolve(path, '..') : path }
}

function filePath(text: string): string {
  try {
    return fileURLToPath(text)
  } catch (error) {
    throw new GraftError(
      `'${text}' is not a file: address of this machine: ${(error as Error).message}. Expected e.g. file:///home/me/model.`,
    )
  }
}

function remote(handle: string, mirror: string | undefined): Handle {
  const url = addressOf(handle), other = mirrorOf(mirror)
  const mirrored = () => other ? new URL(other.href.replace(/\/+$/, '') + url.pathname + url.search + url.hash) : url
  if (url.username || url.password) {
    throw new GraftError(`the address of ${url.host} holds a password, which would be kept beside the model. Download the archive ` +
      "and open it: hub.load('./model.tar.gz').")
  }
  if (/\.(h5|hdf5|keras)$/i.test(url.pathname)) {
    throw new GraftError(`'${handle}' is a file of Keras, not a hub model. Download it and open it with load('./file').`)
  }
  if (isKaggle(url)) {
    return { kind: 'kaggle', handle, model: parseKaggleAddress(url), origin: other?.href.replace(/\/+$/, '') ?? kaggleOrigin }
  }
  if (/\/model\.json$/.test(url.pathname)) return { kind: 'tfjs', handle, url: mirrored() }
  if (/\.(tar|tar\.gz|tgz|zip)$/i.test(url.pathname)) return { kind: 'archive', handle, url: mirrored() }
  return { kind: 'hub', handle, url: mirrored() }
}

function addressOf(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw new GraftError(`'${text}' is not an address. Expected e.g. '${example}'.`)
  }
}

function mirrorOf(mirror: string | undefined): { href: string } | null {
  if (!mirror) return null
  try {
    return { href: new URL(mirror) && mirror.replace(/\/+$/, '') }
  } catch {
    throw new GraftError(`GRAFT_HUB_MIRROR is '${mirror}', which is not an address. Expected e.g. http://127.0.0.1:8080.`)
  }
}

function missing(text: string, path: string): string {
  if (/^(www\.)?(tfhub\.dev|kaggle\.com)\//.test(text)) return `no folder '${text}' here. Did you mean 'https://${text}'?`
  if (/^(google|tensorflow|deepmind)\/\w/.test(text)) return `no folder '${text}' here. Did you mean 'https://tfhub.dev/${text}'?`
  return `no such file or folder: '${text}' (looked for ${path}). ` +
    "Expected a TensorFlow Hub or Kaggle address (https://…) or a folder with saved_model.pb: hub.load('./folder')."
}

/** A short name for the model behind a handle: `mobilenet_v2_100_224` for TF Hub's longer address. */
export function nameOf(handle: string): string {
  const parts = handle
    .replace(/[?#].*$/, '')
    .replace(/\/model\.json$/, '')
    .replace(/\.(tar\.gz|tgz|tar|zip)$/, '')
    .split(/[/\\]+/)
    .filter(part => part && part !== '.' && !/^\d+$/.test(part))
  const onKaggle = kaggleName(parts)
  if (onKaggle) return onKaggle
  while (parts.length > 1 && /^(feature[_-]vector|classification|default)$/i.test(parts.at(-1)!)) parts.pop()
  return (parts.at(-1) ?? 'model').replaceAll(/[^\w.-]+/g, '_')
}

/** Kaggle's variation says the size, its model the family: `mobilenet-v2` and `100-224-feature-vector`. */
function kaggleName(parts: string[]): string | null {
  const at = parts.findIndex(part => /^(tensorflow[12]|tfjs)$/i.test(part))
  if (at < 1) return null
  const model = parts[at - 1] === 'frameworks' ? parts[at - 2] : parts[at - 1]
  const variation = parts.slice(at + 1).filter(part => !/^(variations|versions)$/.test(part))[0] ?? ''
  const size = variation.replace(/(^|-)(tf2-preview-)?(feature-vector|classification)$/, '')
  return [model, size].filter(part => part).join('_').replaceAll(/[^\w.]+/g, '_')
}
