import { didYouMean } from '../../lib/error.ts'

/** One `%name arguments` line. */
export interface Magic { name: string, args: string }

/** A cell without its magics: they are blanked, so that every position stays what it is. */
export interface WithoutMagics {
  magics: Magic[]
  source: string
}

/** What a `%types` line of a cell sets. */
export function typesMagic(source: string): 'on' | 'warn' | 'off' | undefined {
  return source.includes('%types') ? /^\s*%types +(on|warn|off)\s*$/m.exec(source)?.[1] as 'on' : undefined
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
 * Takes the magics off a cell. They stand in its first lines, with or without comments; code may follow `%time` in the same line.
 * @throws SyntaxError for a name that is none
 * @example
 * splitMagics('%time await f()')   // { magics: [{ name: '%time', args: '' }], source: '      await f()' }
 */
export function splitMagics(source: string): WithoutMagics {
  const [, command] = /^\s*!(npm|npx|node|pip|git|ls|cd|pwd|cat|echo|mkdir|rm|cp|mv|curl|wget|python3?)(?=\s+[\w.-]|\s*$)/.exec(source) ?? []
  if (command) throw new SyntaxError(`a cell runs no shell commands. Open a terminal for \`${command}\`, or use execSync of node:child_process.`)
  if (!/^(\s|\/\/.*\n)*%/.test(source)) return { magics: [], source }
  const magics: Magic[] = []
  const lines = source.split('\n')
  for (let i = 0; i < lines.length; i++) {
    const match = /^(\s*)(%%?[A-Za-z]+)(.*)$/.exec(lines[i])
    if (!match && /^\s*(\/\/.*)?$/.test(lines[i])) continue
    if (!match) break
    const [whole, indent, name, rest] = match
    if (!(name in magicNames)) {
      throw new SyntaxError(`unknown magic: '${name}'.${didYouMean(name, Object.keys(magicNames))} There are ${Object.keys(magicNames).join(', ')}.`)
    }
    if (name === '%%html') return { magics: [...magics, { name, args: lines.slice(i + 1).join('\n') }], source: '' }
    const keepsCode = name === '%time', args = rest.trim()
    if (args && (name === '%who' || name === '%reset')) throw new SyntaxError(`${name} stands alone, received '${args}' after it.`)
    if (name === '%env' && args && !/^\w+(\s*=.*)?$/s.test(args)) throw new SyntaxError(`%env expected NAME or NAME=value, received '${args}'.`)
    if (name === '%types' && !/^(on|warn|off)$/.test(args)) throw new SyntaxError(`%types expected on, warn or off, received ${args ? `'${args}'` : 'nothing'}.`)
    magics.push({ name, args: keepsCode ? '' : args })
    lines[i] = keepsCode ? `${indent}${' '.repeat(name.length)}${rest}` : ' '.repeat(whole.length)
  }
  return { magics, source: lines.join('\n') }
}
