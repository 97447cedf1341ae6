import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { GraftError } from '../error.ts'
import { type Checksum, statedChecksums, wantedChecksum, wrongChecksum } from './checksum.ts'
import { bucket, Final, follow, type Network, shown } from './follow.ts'
import { refusal } from './refusal.ts'

/**
 * How often a download is tried, how long it may stand still and how long the first pause between two tries is, in
 * milliseconds.
 */
export interface Patience { attempts: number, stall: number, pause: number }
const usual: Patience = { attempts: 4, stall: 60_000, pause: 400 }

/** Longest pause that a server may ask for (`Retry-After`), in milliseconds. */
const longestPause = 30_000

/** Told about the bytes so far; `total` is null where the server does not say. */
export type OnBytes = (received: number, total: number | null) => void

/**
 * Fetches `url` into `file`. A download that breaks off goes on where it stopped if the server allows that (HTTP range with the
 * same ETag), else starts again; so does one whose signed address, to which it was redirected, has expired. Length and the
 * checksums that the server or the address states are checked. Throws a GraftError that names the address, the cause and the way
 * out; an abort of `signal` is passed on.
 */
export async function download(
  url: URL,
  file: string,
  signal: AbortSignal,
  network: Network,
  onBytes: OnBytes = () => {},
  patience: Partial<Patience> = {},
): Promise<void> {
  const { attempts, stall, pause } = { ...usual, ...patience }
  const out = await open(file, 'w')
  try {
    const state: State = { received: 0, total: null, version: null, checksums: [] }
    for (let attempt = 1; ; attempt++) {
      try {
        await once(url, out, state, signal, network, stall, onBytes)
        break
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (error instanceof Final || attempt === attempts) throw explained(error, url, attempt)
        if (error instanceof GraftError || isDiskError(error)) throw error
        const asked = error instanceof Later ? error.milliseconds : null
        await sleep(Math.min(asked ?? pause * 2 ** (attempt - 1), longestPause), undefined, { signal })
      }
    }
    const wrong = await wrongChecksum(file, [...state.checksums, ...wantedChecksum(url)])
    if (wrong) {
      const who = wrong.encoding === 'hex' ? 'the address states' : 'the server states'
      throw explained(new Final(`the download is damaged: its ${wrong.algorithm.toUpperCase()} is not the one that ${who}`), url,
        1)
    }
  } finally {
    await out.close()
  }
}

/** What is there so far, and of which version of the file. */
interface State { received: number, total: number | null, version: string | null, checksums: Checksum[] }

/** An answer after which the server wants a pause of this length, or says nothing of it. */
class Later extends Error {
  readonly milliseconds: number | null
  constructor(message: string, after: string | null) {
    super(message)
    const seconds = after === null ? NaN : /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000
    this.milliseconds = seconds >= 0 ? seconds * 1000 : null
  }
}

async function once(
  url: URL,
  out: FileHandle,
  state: State,
  signal: AbortSignal,
  network: Network,
  stall: number,
  onBytes: OnBytes,
): Promise<void> {
  const standstill = new AbortController()
  let timer = setTimeout(() => standstill.abort(), stall)
  const alive = () => {
    clearTimeout(timer)
    timer = setTimeout(() => standstill.abort(), stall)
  }
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'graft' }
    if (state.received && state.version) Object.assign(headers, { range: `bytes=${state.received}-`, 'if-range': state.version })
    const { response, url: end, hops } = await follow(url, headers, AbortSignal.any([signal, standstill.signal]), network)
    if (response.status !== 200 && response.status !== 206) {
      const { message, final } = await refusal(response, end, hops)
      throw final ? new Final(message) : new Later(message, response.headers.get('retry-after'))
    }
    if (/text\/html/.test(response.headers.get('content-type') ?? '')) {
      await response.body?.cancel()
      throw new Final(pageInstead(end))
    }
    const from = response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? NaN)
      : 0
    if (from !== 0 && from !== state.received) throw new Error('the server sent another part than the one asked for')
    state.received = from
    const length = response.headers.get('content-length'), encoded = response.headers.has('content-encoding')
    state.total = length === null || encoded ? null : state.received + Number(length)
    state.version = versionOf(response.headers)
    state.checksums = encoded ? [] : statedChecksums(response.headers)
    onBytes(state.received, state.total)
    for await (const chunk of response.body ?? []) {
      alive()
      await out.write(chunk, 0, chunk.length, state.received)
      state.received += chunk.length
      onBytes(state.received, state.total)
    }
    if (state.total !== null && state.received < state.total)
      throw new Error(`the connection broke off after ${state.received} of ${state.total} bytes`)
    await out.truncate(state.received)
  } catch (error) {
    if (/URL scheme must be/.test((error as { cause?: Error }).cause?.message ?? '')) throw new Final(bucket)
    if (standstill.signal.aborted) throw new Error(`the server sent nothing for ${stall / 1000} s`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** By what a later part is known to be of the same file: a strong ETag, else the date of its last change (RFC 9110, If-Range). */
function versionOf(headers: Headers): string | null {
  const etag = headers.get('etag')
  return etag && !etag.startsWith('W/') ? etag : headers.get('last-modified')
}

/** What it means that a web page came instead of a model. */
function pageInstead(url: URL): string {
  if (url.pathname === '/models' && /kaggle/.test(url.hostname)) {
    return "TF Hub's address leads to Kaggle's catalogue: this model or version was not moved there. Look for it on " +
      'kaggle.com/models and take the address of a variation'
  }
  return "the server answered with a web page, not a model. The address may be that of the model's page; " +
    'a handle ends in a version, e.g. …/feature_vector/5'
}

const isDiskError = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')

/** What fetch's failures mean. */
const causes: Record<string, string> = {
  ENOTFOUND: 'the host is not known',
  EAI_AGAIN: 'the host name cannot be looked up: is there a network?',
  ECONNREFUSED: 'the host refuses the connection',
  ECONNRESET: 'the connection was reset',
  ENETUNREACH: 'there is no network',
  ETIMEDOUT: 'the host does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not answer',
  UND_ERR_SOCKET: 'the connection broke off',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by somebody unknown: a proxy? NODE_EXTRA_CA_CERTS names more signers',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by somebody unknown: a proxy? NODE_EXTRA_CA_CERTS names more signers',
}

/** Why a request failed, in words. */
export function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: NodeJS.ErrnoException }
  return causes[cause?.code ?? ''] ?? cause?.message ?? (error as Error).message
}

/** A failure of which the user was told where it happened. */
function explained(error: unknown, url: URL, attempts: number): Error {
  if (isDiskError(error)) return error as Error
  const out = 'A copy you have opens with hub.load(\'./folder\')'
  if (error instanceof Final)
    return new GraftError(`cannot load ${shown(url)}: ${error.message}. ${out}; GRAFT_HUB_MIRROR names a mirror.`)
  return new GraftError(`cannot reach ${shown(url)}: ${reasonOf(error)} (${attempts} attempts). ` +
    `Check the network, or set GRAFT_HUB_MIRROR to a mirror. ${out}.`)
}
