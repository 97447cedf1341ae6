import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { GraftError } from '../error.ts'

/** What lets one in: where it was found, which may be shown, and the header, which may not. */
export interface Credentials { from: string, header: string }

/**
 * The user's Kaggle credentials, looked for where kagglehub looks: `KAGGLE_API_TOKEN` (the token, or a file with it),
 * `~/.kaggle/access_token`, `KAGGLE_USERNAME` with `KAGGLE_KEY`, `kaggle.json` in `KAGGLE_CONFIG_DIR` or `~/.kaggle`. `null`
 * where there are none; most models need none.
 *
 * @throws GraftError for a kaggle.json that holds something else; never with its content
 */
export async function kaggleCredentials(environment: NodeJS.ProcessEnv): Promise<Credentials | null> {
  const home = join(environment.HOME ?? homedir(), '.kaggle'), read = (path: string) => readFile(path, 'utf8').catch(() => null)
  const token = environment.KAGGLE_API_TOKEN
  if (token) return { from: 'KAGGLE_API_TOKEN', header: `Bearer ${(await read(token) ?? token).trim()}` }
  const stored = (await read(join(home, 'access_token')))?.trim()
  if (stored) return { from: '~/.kaggle/access_token', header: `Bearer ${stored}` }
  const { KAGGLE_USERNAME: username, KAGGLE_KEY: key } = environment
  if (username && key) return { from: 'KAGGLE_USERNAME and KAGGLE_KEY', header: basic(username, key) }
  const folder = environment.KAGGLE_CONFIG_DIR, path = join(folder ?? home, 'kaggle.json')
  const from = folder ? path : '~/.kaggle/kaggle.json', text = await read(path)
  if (text === null) return null
  const pair = parsed(text)
  if (typeof pair?.username !== 'string' || typeof pair.key !== 'string') {
    throw new GraftError(`${from} holds no credentials: expected {"username": "…", "key": "…"}, as kaggle.com → Settings → Create ` +
      'New Token gives it. Replace it, or move it away: most models need none.')
  }
  return { from, header: basic(pair.username, pair.key) }
}

const basic = (username: string, key: string) => `Basic ${Buffer.from(`${username}:${key}`).toString('base64')}`

function parsed(text: string): { username?: unknown, key?: unknown } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
