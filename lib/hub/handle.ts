import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GraftError } from '../error.ts'

/** What a handle points at: a path on this machine, or a model on a server. */
export type Handle =
  | { kind: 'path', handle: string, path: string }
  | { kind: 'url', handle: string, url: URL }

/**
 * Reads a handle: a local folder or archive (`./models/trunk`, `~/trunk.tar.gz`, `file:///…`) or the address of a model on
 * TensorFlow Hub or a server that speaks its protocol (`https://…`). Where the environment variable `GRAFT_HUB_MIRROR` is set, it
 * replaces the origin of every address: `https://tfhub.dev/google/x/1` is fetched from `$GRAFT_HUB_MIRROR/google/x/1`. Throws a
 * GraftError for anything else.
 *
 * @example
 * parseHandle('https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5').kind // 'url'
 */
export function parseHandle(handle: string, environment: NodeJS.ProcessEnv = process.env): Handle {
  const text = typeof handle === 'string' ? handle.trim() : ''
  if (!text) {
    const received = typeof handle === 'string' ? 'an empty text' : String(handle)
    throw new GraftError(
      "expected a handle, e.g. 'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5' or './folder'; " +
        `received ${received}.`,
    )
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1].toLowerCase()
  if (scheme === 'file') return { kind: 'path', handle: text, path: filePath(text) }
  if (scheme === 'http' || scheme === 'https')
    return { kind: 'url', handle: text, url: address(text, environment.GRAFT_HUB_MIRROR) }
  if (scheme && !/^[a-z]$/.test(scheme)) {
    throw new GraftError(
      `a handle cannot start with '${scheme}:' ('${text}'). ` +
        "Expected https:, http:, file: or a local folder: hub.load('./folder').",
    )
  }
  const path = resolve(text.replace(/^~(?=$|[/\\])/, homedir()))
  if (!existsSync(path)) throw new GraftError(missing(text, path))
  return { kind: 'path', handle: text, path }
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

function address(text: string, mirror: string | undefined): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new GraftError(
      `'${text}' is not an address. Expected e.g. 'https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/feature_vector/5'.`,
    )
  }
  if (!mirror) return url
  try {
    return new URL(mirror.replace(/\/+$/, '') + url.pathname + url.search)
  } catch {
    throw new GraftError(`GRAFT_HUB_MIRROR is '${mirror}', which is not an address. Expected e.g. http://127.0.0.1:8080.`)
  }
}

function missing(text: string, path: string): string {
  if (/^(www\.)?(tfhub\.dev|kaggle\.com)\//.test(text)) return `no folder '${text}' here. Did you mean 'https://${text}'?`
  if (/^(google|tensorflow|deepmind)\/\w/.test(text)) return `no folder '${text}' here. Did you mean 'https://tfhub.dev/${text}'?`
  return `no such file or folder: '${text}' (looked for ${path}). ` +
    "Expected a TensorFlow Hub address (https://…) or a folder with saved_model.pb: hub.load('./folder')."
}

/** A short name for the model behind a handle: `mobilenet_v2_100_224` for TF Hub's longer address. */
export function nameOf(handle: string): string {
  const parts = handle
    .replace(/[?#].*$/, '')
    .replace(/\.(tar\.gz|tgz|tar)$/, '')
    .split(/[/\\]+/)
    .filter(part => part && part !== '.' && !/^\d+$/.test(part))
  while (
    parts.length > 1 &&
    /^(feature[_-]vector|classification|frameworks|tensorflow2|variations|versions)$/i.test(parts.at(-1)!)
  )
    parts.pop()
  return (parts.at(-1) ?? 'model').replaceAll(/[^\w.-]+/g, '_')
}
