import { inspect, types } from 'node:util'

/** A variable as front ends list it (DAP, "Variable"). */
export interface Variable {
  name: string
  value: string
  type: string
  /** By which its own parts are asked for; 0 where it has none. */
  variablesReference: number
  indexedVariables?: number
  evaluateName?: string
  presentationHint?: object
}

/** One part of a value: an accessor is looked at when somebody asks for it. */
interface Part { name: string, value: unknown, accessor?: () => unknown }

/** So many elements are shown at once; longer lists come in as many pieces, and these in pieces again. */
const page = 100

/** How long the text of a value may be. */
const longest = 300

/**
 * Values as a debugger lists them. What can be opened gets a number, by which its parts are asked for until {@link Values.forget}.
 *
 * @example
 * const values = new Values()
 * const { variablesReference } = values.show('a', [1, 2])
 * values.parts(variablesReference)   // [{ name: '0', value: '1', … }, { name: '1', value: '2', … }]
 */
export class Values {
  readonly #kept = new Map<number, () => Part[]>()
  readonly #owners = new Map<number, object>()
  #count = 0

  /** Forgets all numbers. */
  forget(): void {
    this.#kept.clear()
    this.#owners.clear()
  }

  /** A number for a list of names with their values. */
  keep(list: () => [string, unknown][]): number {
    return this.#keep(() => list().map(([name, value]) => ({ name, value })))
  }

  /** The parts of what has this number. */
  parts(reference: number): Variable[] {
    return (this.#kept.get(reference)?.() ?? []).map(part => this.#part(part))
  }

  /** The object whose properties {@link Values.parts} lists under this number. */
  owner(reference: number): object | undefined {
    return this.#owners.get(reference)
  }

  /** A value under its name. */
  show(name: string, value: unknown): Variable {
    const open = isObject(value) ? () => attemptList(() => partsOf(value)) : null
    const count = open && isList(value) ? value.length : 0
    const reference = open ? this.#keep(open, value as object) : 0
    return { name, value: textOf(value), type: typeOf(value), variablesReference: reference, ...count && { indexedVariables: count } }
  }

  #part({ name, value, accessor }: Part): Variable {
    if (!accessor) return this.show(name, value)
    const reference = this.#keep(() => [{ name: 'value', value: attempt(accessor) }])
    return { name, value: '(…)', type: 'accessor', variablesReference: reference, presentationHint: { lazy: true } }
  }

  #keep(list: () => Part[], owner?: object): number {
    this.#kept.set(++this.#count, list)
    if (owner) this.#owners.set(this.#count, owner)
    return this.#count
  }
}

/** Some elements of a long list. */
class Piece {
  readonly #elements: () => Part[]

  constructor(list: ArrayLike<unknown>, start: number, end: number) {
    this.#elements = () => elementsOf(list, start, end)
  }

  /** Whether this is one; a value of the user's need not let itself be asked. */
  static is(value: unknown): value is Piece {
    return isObject(value) && #elements in value
  }

  get elements(): Part[] {
    return this.#elements()
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || types.isTypedArray(value)

function partsOf(value: object): Part[] {
  if (Piece.is(value)) return value.elements
  if (isList(value)) return elementsOf(value, 0, value.length)
  if (types.isMap(value)) return [...value].slice(0, page).map(([key, each]) => ({ name: textOf(key), value: each }))
  if (types.isSet(value)) return [...value].slice(0, page).map((each, at) => ({ name: String(at), value: each }))
  const parts = Reflect.ownKeys(value).slice(0, 10 * page).map(key => propertyOf(value, value, key))
  // What a class computes is part of what its objects show.
  for (let proto = prototypeOf(value); proto && proto !== Object.prototype; proto = prototypeOf(proto)) {
    const holder = proto
    for (const key of Reflect.ownKeys(holder)) {
      const part = Object.getOwnPropertyDescriptor(holder, key)?.get && key !== '__proto__' ? propertyOf(holder, value, key) : null
      if (part && !parts.some(({ name }) => name === part.name)) parts.push(part)
    }
  }
  return parts
}

const prototypeOf = (value: object) => Object.getPrototypeOf(value) as object | null

function elementsOf(list: ArrayLike<unknown>, start: number, end: number): Part[] {
  let size = 1
  while ((end - start) / size > page) size *= page
  return Array.from({ length: Math.ceil((end - start) / size) }, (_, at) => {
    const from = start + at * size, to = Math.min(from + size, end)
    return size === 1 ? { name: String(from), value: list[from] } : { name: `[${from}…${to - 1}]`, value: new Piece(list, from, to) }
  })
}

function propertyOf(holder: object, value: object, key: string | symbol): Part {
  const found = Object.getOwnPropertyDescriptor(holder, key), name = typeof key === 'symbol' ? `[${String(key)}]` : key
  return found?.get ? { name, value: undefined, accessor: () => Reflect.get(holder, key, value) } : { name, value: found?.value }
}

/** A value in one line, as the console would print it. */
export function textOf(value: unknown): string {
  if (Piece.is(value)) return ''
  let text: string
  try {
    text = inspect(value, { depth: 0, maxArrayLength: 10, maxStringLength: longest, breakLength: Infinity, compact: true })
  } catch (error) {
    text = `(cannot be shown: ${String((error as Error)?.message ?? error)})`
  }
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function typeOf(value: unknown): string {
  if (Piece.is(value)) return ''
  if (!isObject(value)) return value === null ? 'null' : typeof value
  const name = attempt(() => (value as { constructor?: { name?: unknown } }).constructor?.name)
  return typeof name === 'string' && name ? name : 'object'
}

/** Parts of a value that need not let itself be looked at. */
function attemptList(work: () => Part[]): Part[] {
  try { return work() } catch { return [] }
}

/** What `work` gives, or the error that it throws. */
function attempt(work: () => unknown): unknown {
  try { return work() } catch (error) { return error }
}
