import type { Credentials } from './credentials.ts'
import { isKaggle } from './kaggle.ts'

/** One answer on the way to a file. */
export interface Hop {
  url: URL
  status: number
  /** Where it sends one on. */
  location: string | null
  /** What kind of content it says it sends. */
  type: string | null
  length: number | null
  /** Which credentials were sent along, by the place where they were found. */
  credentials: string | null
}

/** How requests reach their servers. */
export interface Network {
  /** Kaggle's credentials, sent to Kaggle's own hosts alone. */
  credentials(): Promise<Credentials | null>
  /** Told of each answer. */
  onHop?(hop: Hop): void
  /** Default: Node's own. */
  fetch?: typeof fetch
}

const mostHops = 10

/** An answer that trying again would not change. */
export class Final extends Error {}

export const bucket = 'the server points to a storage bucket (gs://) instead of sending an archive'

/**
 * Asks for `start` and follows redirects one by one, so that credentials go to Kaggle's hosts over https and never further, and
 * so that each step can be shown. Resolves to the first answer that is no redirect, whatever its status.
 *
 * @throws Final where a redirect leads nowhere: to another protocol, or more than ten times on
 */
export async function follow(start: URL, headers: Record<string, string>, signal: AbortSignal, network: Network):
Promise<{ response: Response, url: URL, hops: Hop[] }> {
  const hops: Hop[] = []
  for (let url = start; ; ) {
    const credentials = isKaggle(url) ? await network.credentials() : null
    const response = await (network.fetch ?? fetch)(url, {
      headers: { ...headers, ...credentials && { authorization: credentials.header } }, signal, redirect: 'manual',
    })
    const { status } = response, location = response.headers.get('location'), length = response.headers.get('content-length')
    const hop = { url, status, location, type: response.headers.get('content-type'), length: length === null ? null
      : Number(length),
      credentials: credentials?.from ?? null }
    hops.push(hop)
    network.onHop?.(hop)
    if (status < 300 || status > 399 || !location) return { response, url, hops }
    await response.body?.cancel()
    const next = URL.parse(location, url)
    if (next?.protocol === 'gs:') throw new Final(bucket)
    if (!next || !/^https?:$/.test(next.protocol)) throw new Final(`it redirects to '${location}', which is not an address`)
    if (hops.length > mostHops) throw new Final(`it redirects more than ${mostHops} times`)
    url = next
  }
}

/** An address as messages may show it: without its query, which may hold a signature. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`
