import type { Hop } from './follow.ts'
import { isKaggle } from './kaggle.ts'

/** How much of an answer's text is read for its reason. */
const mostText = 4096

/**
 * What an answer other than 200 means, and whether trying again could not change it: a sentence with the status and what to do.
 * Reads the reason that Kaggle (JSON) and Google's storage (XML) give.
 */
export async function refusal(response: Response, url: URL, hops: Hop[]): Promise<{ message: string, final: boolean }> {
  const { status } = response, said = await reasonIn(response)
  const because = said ? `: ${said}` : ''
  switch (status) {
    case 400:
    case 401:
    case 403: {
      if (isSigned(url)) {
        const message = `the signed address of ${url.host} has expired or is damaged (${status}${because})`
        return hops.length > 1 ? { message, final: false } : { message: `${message}. Ask for a new one where it came from`,
          final: true }
      }
      if (status === 400) break
      return { message: `the server refuses it (${status}${because}). ${isKaggle(url) ? kaggleHint(hops.at(-1)!) :
        'The model may need an account'}`, final: true }
    }
    case 404:
    case 410:
      return { message: `there is no such model (${status}${because}). Check the handle's spelling and version number`,
        final: true }
  }
  const message = `the server answered ${status} ${response.statusText}`.trim() + because
  return { message, final: !(status >= 500 || status === 408 || status === 425 || status === 429) }
}

function kaggleHint({ credentials }: Hop): string {
  return credentials ? `Kaggle was shown the credentials of ${credentials}: they may be wrong or out of date, or the model's page ` +
    'asks for a consent that was not given. Kaggle answers so for what does not exist, too'
    : 'Kaggle was shown no credentials. For a private model or one that asks for a consent, create a token in kaggle.com → ' +
      'Settings and put kaggle.json into ~/.kaggle, or set KAGGLE_USERNAME and KAGGLE_KEY. Kaggle answers so for what does not ' +
      'exist, too'
}

/** Whether an address carries a signature that holds for some time (Google's, Amazon's, Azure's). */
export const isSigned = ({ searchParams }: URL): boolean =>
  ['X-Goog-Signature', 'X-Amz-Signature', 'Signature', 'sig'].some(name => searchParams.has(name))

async function reasonIn(response: Response): Promise<string> {
  let text = ''
  try {
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString('utf8')
      if (text.length > mostText) break
    }
  } catch {
    return ''
  }
  const said = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? ''
  return said.replaceAll(/[\x00-\x1f]+/g, ' ').replace(/\.$/, '').slice(0, 200)
}
