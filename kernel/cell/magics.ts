import { didYouMean } from '../../lib/error.ts'

/** One `%name arguments` line. */
export interface Magic { name: string, args: string }

/** A cell without its magics: they are blanked, so that every position stays what it is. */
export interface WithoutMagics {
  magics: Magic[]
  source: string
}

/** All magics, with what completion and an error say of them. */
export const magicNames: Record<string, string> = {
  '%time': 'runs the cell and tells how long it took',
  '%types': 'on, warn or off: whether type errors stop a cell',
  '%env': 'shows the environment variables; `%env NAME=value` sets one',
  '%who': 'lists the names that cells declared',
  '%reset': 'forgets all names that cells declared',
  '%%html': 'shows the rest of the cell as HTML',
}

/**
 * Takes the magics off a cell. They stand in its first lines; code may follow `%time` in the same line.
 * @throws SyntaxError for a name that is none
 * @example
 * splitMagics('%time await f()')   // { magics: [{ name: '%time', args: '' }], source: '      await f()' }
 */
export function splitMagics(source: string): WithoutMagics {
  if (!/^\s*%/.test(source)) return { magics: [], source }
  const magics: Magic[] = []
  const lines = source.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const match = /^(\s*)(%%?[A-Za-z]+)(.*)$/.exec(lines[i])
    if (!match && lines[i].trim() === '') continue
    if (!match) break
    const [whole, indent, name, rest] = match
    if (!(name in magicNames)) {
      throw new SyntaxError(`unknown magic: '${name}'.${didYouMean(name, Object.keys(magicNames))} There are ${Object.keys(magicNames).join(', ')}.`)
    }
    if (name === '%%html') return { magics: [...magics, { name, args: lines.slice(i + 1).join('\n') }], source: '' }
    const keepsCode = name === '%time'
    magics.push({ name, args: keepsCode ? '' : rest.trim() })
    lines[i] = keepsCode ? `${indent}${' '.repeat(name.length)}${rest}` : ' '.repeat(whole.length)
  }
  return { magics, source: lines.join('\n') }
}
