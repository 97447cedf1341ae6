import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { GraftError } from '../error.ts'

/** How often a download is tried, and how long it may stand still, in milliseconds. */
export interface Patience { attempts: number, stall: number, pause: number }
const PATIENCE: Patience = { attempts: 4, stall: 60_000, pause: 400 }

/** Told about the bytes so far; `total` is null where the server does not say. */
export type OnBytes = (received: number, total: number | null) => void

/**
 * Fetches `url` into `file`. A download that breaks off goes on where it stopped if the server allows that (HTTP range with the
 * same ETag), else starts again. Length, and the MD5 that Google's storage sends, are checked. Throws a GraftError that names the
 * address, the cause and the way out; an abort of `signal` is passed on.
 */
export async function download(
  url: URL,
  file: string,
  signal: AbortSignal,
  onBytes: OnBytes = () => {},
  patience: Partial<Patience> = {},
): Promise<void> {
  const { attempts, stall, pause } = { ...PATIENCE, ...patience }
  const out = await open(file, 'w')
  try {
    const state: State = { received: 0, total: null, etag: null, md5: null }
    for (let attempt = 1; ; attempt++) {
      try {
        await once(url, out, state, signal, stall, onBytes)
        break
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (error instanceof Final || attempt === attempts) throw explained(error, url, attempt)
        if (isDiskError(error)) throw error
        await sleep(pause * 2 ** (attempt - 1), undefined, { signal })
      }
    }
    if (state.md5 && (await md5Of(file)) !== state.md5)
      throw explained(new Final('the download is damaged: its MD5 is not the one that the server states'), url, 1)
  } finally {
    await out.close()
  }
}

interface State { received: number, total: number | null, etag: string | null, md5: string | null }

const BUCKET = 'the server points to a storage bucket (gs://) instead of sending an archive'

/** An answer that trying again would not change. */
class Final extends Error {}

async function once(
  url: URL,
  out: FileHandle,
  state: State,
  signal: AbortSignal,
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
    if (state.received && state.etag) Object.assign(headers, { range: `bytes=${state.received}-`, 'if-range': state.etag })
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, standstill.signal]), redirect: 'follow' })
    await checkStatus(response, url)
    if (response.status !== 206) state.received = 0
    const length = response.headers.get('content-length')
    state.total = length === null || response.headers.has('content-encoding') ? null : state.received + Number(length)
    state.etag = response.headers.get('etag')
    state.md5 = /md5=([\w+/=]+)/.exec(response.headers.get('x-goog-hash') ?? '')?.[1] ?? null
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
    if (/URL scheme must be/.test((error as { cause?: Error }).cause?.message ?? '')) throw new Final(BUCKET)
    if (standstill.signal.aborted) throw new Error(`the server sent nothing for ${stall / 1000} s`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function checkStatus(response: Response, url: URL): Promise<void> {
  const { status } = response
  if (status === 200 || status === 206) {
    if (/text\/html/.test(response.headers.get('content-type') ?? '')) {
      await response.body?.cancel()
      throw new Final(
        "the server answered with a web page, not a model. The address may be that of the model's page; " +
          'a handle ends in a version, e.g. …/feature_vector/5',
      )
    }
    return
  }
  await response.body?.cancel()
  switch (status) {
    case 401:
    case 403:
      throw new Final(`the server refuses it (${status}). The model may need an account, or a signed address has expired`)
    case 404:
    case 410:
      throw new Final(`there is no such model (${status}). Check the handle's spelling and version number`)
    case 303:
      throw new Final(BUCKET)
    default: {
      const message = `the server answered ${status} ${response.statusText}`.trim()
      throw status >= 500 || status === 408 || status === 429 ? new Error(message) : new Final(message)
    }
  }
}

const isDiskError = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')

function explained(error: unknown, url: URL, attempts: number): Error {
  const shown = `${url.origin}${url.pathname}`, out = 'A copy you have opens with hub.load(\'./folder\')'
  if (error instanceof Final)
    return new GraftError(`cannot load ${shown}: ${error.message}. ${out}; GRAFT_HUB_MIRROR names a mirror.`)
  if (isDiskError(error)) return error as Error
  const { cause } = error as { cause?: NodeJS.ErrnoException }
  const reasons: Record<string, string> = {
    ENOTFOUND: 'the host is not known',
    EAI_AGAIN: 'the host name cannot be looked up: is there a network?',
    ECONNREFUSED: 'the host refuses the connection',
    ECONNRESET: 'the connection was reset',
    ETIMEDOUT: 'the host does not answer',
    UND_ERR_CONNECT_TIMEOUT: 'the host does not answer',
    UND_ERR_SOCKET: 'the connection broke off',
    CERT_HAS_EXPIRED: 'its certificate has expired',
  }
  const reason = reasons[cause?.code ?? ''] ?? cause?.message ?? (error as Error).message
  return new GraftError(
    `cannot reach ${shown}: ${reason} (${attempts} attempts). Check the network, or set GRAFT_HUB_MIRROR to a mirror. ${out}.`,
  )
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash('md5'), file = await open(path)
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer)
  } finally {
    await file.close()
  }
  return hash.digest('base64')
}
