import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

/** A node of a declaration file's syntax tree. */
interface Node { type: string, start: number, end: number, [key: string]: any }
interface Module { file: string, text: string, body: Node[], comments: { end: number, start: number }[] }
interface Found { node: Node, module: Module }

/** A member of a class or an interface: its name, what follows it, its doc comment. */
export interface Member { name: string, type: string, comment: string }

/** A public name with what is said of it. */
export interface Declared {
  name: string
  kind: 'function' | 'class' | 'const' | 'type'
  comment: string
  signatures: string[]
  members: Member[]
  found: Found
}

/** Reads declaration files (`.d.ts`), from an index on: what it exports, wherever that is declared. */
export class Declarations {
  readonly #modules = new Map<string, Module>()
  readonly #index: string

  constructor(index: string) {
    this.#index = index
  }

  /** The public names in the order of the index; those of a namespace and of an object as `show.layers`. */
  exported(file = this.#index, prefix = ''): Declared[] {
    return this.#namesOf(file).flatMap(({ name, from, local }) => {
      if (local === '*') return this.exported(from, `${prefix}${name}.`)
      const found = this.#find(from, local)
      return found.flatMap((one, i) => i && one.node.type === 'TSDeclareFunction' ? [] : this.#describe(`${prefix}${name}`, one, found))
    })
  }

  /** The options that a function takes: of each parameter whose type is an interface named `…Options`, what it may hold. */
  optionsOf({ found: { node, module }, kind }: Declared): { name: string, members: Member[] }[] {
    if (kind === 'type' || kind === 'class') return []
    const names = [...module.text.slice(node.start, node.end).matchAll(/\b(\w+Options)\b/g)].map(([, name]) => name)
    return [...new Set(names)].flatMap(name => this.#find(module.file, name).map(one => ({ name, members: this.#members(one) }))).filter(({ members }) => members.length)
  }

  #describe(name: string, found: Found, all: Found[]): Declared[] {
    const { node, module } = found, comment = commentBefore(module, node)
    const one = (kind: Declared['kind'], more: Partial<Declared> = {}): Declared => ({ name, kind, comment, signatures: [], members: [], found, ...more })
    const text = (part: Node) => module.text.slice(part.start, part.end)
    switch (node.type) {
      case 'TSDeclareFunction':
        return [one('function', { signatures: all.map(({ node, module }) => signature(name, module.text.slice(node.id.end, node.end))) })]
      case 'ClassDeclaration': case 'TSInterfaceDeclaration':
        return [one(node.type === 'ClassDeclaration' ? 'class' : 'type', { members: this.#members(found) })]
      case 'TSTypeAliasDeclaration':
        return [one('type', { signatures: [tidy(text(node))], members: this.#members(found) })]
      case 'VariableDeclarator':
        return this.#object(name, one('const'), node.id.typeAnnotation?.typeAnnotation)
    }
    return []
  }

  /** An object of functions: itself, if it can be called, and each of them. */
  #object(name: string, self: Declared, type: Node | undefined): Declared[] {
    const { module } = self.found, parts = type?.type === 'TSIntersectionType' ? type.types as Node[] : type ? [type] : []
    const own = parts.flatMap(part => part.type === 'TSTypeQuery' ? this.#functions(name, module.file, module.text.slice(part.exprName.start, part.exprName.end)) : [])
    const inner = parts.filter(part => part.type === 'TSTypeLiteral').flatMap(part => part.members as Node[]).flatMap(member => {
      const inside = member.key.name as string, query = member.typeAnnotation?.typeAnnotation
      return this.#functions(`${name}.${inside}`, module.file, query?.type === 'TSTypeQuery' ? module.text.slice(query.exprName.start, query.exprName.end) : inside)
    })
    if (own.length || inner.length) return [...own, ...inner]
    if (!type) return [self]
    const text = tidy(module.text.slice(type.start, type.end))
    return [type.type === 'TSFunctionType' ? { ...self, kind: 'function', signatures: [signature(name, text.replace(/\) => (?=[^)]*$)/, '): '))] } : { ...self, signatures: [`${name}: ${text}`] }]
  }

  /** A function by its local name, or, where a spread has lost that, from the folders beside. */
  #functions(name: string, file: string, local: string): Declared[] {
    const beside = () => readdirSync(dirname(file), { withFileTypes: true }).filter(entry => entry.isDirectory())
      .map(entry => join(dirname(file), entry.name, 'index.d.ts')).filter(existsSync).map(path => this.#find(path, local)).find(found => found.length)
    const direct = this.#find(file, local), found = direct.length ? direct : beside() ?? []
    return found.length ? this.#describe(name, found[0], found) : []
  }

  #members({ node, module }: Found): Member[] {
    const list = node.body?.body ?? node.typeAnnotation?.members ?? [] as Node[]
    return (list as Node[]).filter(({ key, accessibility, computed }) => key && key.type !== 'PrivateIdentifier' && !computed && accessibility !== 'private' && key.name !== 'constructor')
      .map(member => ({ name: module.text.slice(member.key.start, member.key.end), type: tidy(module.text.slice(member.key.end, member.end)).replace(/;$/, ''), comment: commentBefore(module, member) }))
  }

  /** The declarations behind a name of a file, through its imports and exports. */
  #find(file: string, name: string): Found[] {
    const module = this.#read(file), own: Found[] = []
    for (const node of module.body) {
      const declared = node.type === 'ExportNamedDeclaration' && node.declaration ? node.declaration as Node : node
      if (declared.type === 'VariableDeclaration') {
        for (const one of declared.declarations as Node[]) if (one.id.name === name) own.push({ node: Object.assign(one, { statement: node }), module })
      } else if (declared.id?.name === name) own.push({ node: Object.assign(declared, { statement: node }), module })
    }
    if (own.length) return own
    for (const node of module.body) {
      const from = node.source && resolved(file, node.source.value)
      if (!from) continue
      for (const one of node.specifiers ?? []) {
        const local = node.type === 'ImportDeclaration' ? one.local.name : one.exported.name
        const there = node.type === 'ImportDeclaration' ? one.imported?.name : one.local.name
        if (local === name && there) return this.#find(from, there)
      }
    }
    return []
  }

  /** What a file exports: the name, and where it is from. */
  #namesOf(file: string): { name: string, from: string, local: string }[] {
    return this.#read(file).body.flatMap(node => {
      if (node.type === 'ExportAllDeclaration') return node.exported ? [{ name: node.exported.name, from: resolved(file, node.source.value)!, local: '*' }] : []
      if (node.type !== 'ExportNamedDeclaration') return []
      if (!node.declaration) return (node.specifiers as Node[]).map(one => ({ name: one.exported.name, from: node.source ? resolved(file, node.source.value)! : file, local: one.local.name }))
      const declared = node.declaration.declarations ?? [node.declaration]
      return (declared as Node[]).map(one => ({ name: one.id.name, from: file, local: one.id.name }))
    })
  }

  #read(file: string): Module {
    const known = this.#modules.get(file)
    if (known) return known
    const text = readFileSync(file, 'utf8'), { program, comments } = parseSync(file, text, { lang: 'dts' })
    const module = { file, text, body: program.body as unknown as Node[], comments: comments.filter(({ type }) => type === 'Block') }
    this.#modules.set(file, module)
    return module
  }
}

/** The file that a relative import means. */
function resolved(file: string, source: string): string | undefined {
  return source.startsWith('.') ? join(dirname(file), source.replace(/\.ts$/, '.d.ts')) : undefined
}

/** The doc comment that stands right before a declaration. */
function commentBefore({ text, comments }: Module, node: Node): string {
  const start = (node.statement ?? node).start as number
  const last = comments.filter(({ end }) => end <= start && !text.slice(end, start).trim()).at(-1)
  const comment = last ? text.slice(last.start, last.end) : ''
  return comment.startsWith('/**') ? comment : ''
}

const tidy = (text: string) => text.replace(/import\("[^"]+"\)\./g, '').replace(/^export (declare )?/, '').replace(/\s+/g, ' ').trim()
const signature = (name: string, text: string) => `${name}${tidy(text).replace(/;$/, '')}`
