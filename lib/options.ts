import { didYouMean, GraftError, inWords } from './error.ts'

/** What an option may be: in words, and how to tell. */
const kinds = {
  count: ['a whole number above 0', (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0],
  positive: ['a number above 0', (value: unknown) => Number.isFinite(value) && (value as number) > 0],
  'not negative': ['a number, 0 or more', (value: unknown) => Number.isFinite(value) && (value as number) >= 0],
  number: ['a number', (value: unknown) => Number.isFinite(value)],
  part: ['a part from 0 to below 1, e.g. 0.2', (value: unknown) => typeof value === 'number' && value >= 0 && value < 1],
  flag: ['true or false', (value: unknown) => typeof value === 'boolean'],
  text: ['a text', (value: unknown) => typeof value === 'string' && value !== ''],
  list: ['a list', Array.isArray],
} as const satisfies Record<string, readonly [string, (value: unknown) => boolean]>

/** A kind of value; what an option may be, one by one; or `null` where the value is looked at when it is used. */
export type Kind = keyof typeof kinds | readonly (string | boolean)[] | null

/**
 * Refuses, before any work, options that are no object, a name that the function does not know, with the closest one, and a value
 * of another kind. An option that is `undefined` has its default.
 *
 * @example
 * checkOptions<SaveOptions>('save', options, { overwrite: 'flag', readers: ['keras3', 'tf_keras'] })
 */
export function checkOptions<T extends object>(call: string, options: T, known: { [name in keyof Required<T>]: Kind }): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new GraftError(`${call}: options must be an object such as { ${Object.keys(known)[0]}: … }; received ${
      inWords(options)}.`)
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known)
      throw new GraftError(`${call}: unknown option '${name}'.${didYouMean(name, names)} Expected some of ${names.join(', ')}.`)
    }
    const kind = known[name as keyof T]
    if (kind === null || value === undefined) continue
    const [words, fits] = typeof kind === 'string' ? kinds[kind as keyof typeof kinds] : oneOf(kind)
    if (!fits(value)) throw new GraftError(`${name} must be ${words}; received ${inWords(value)}.`)
  }
}

const oneOf = (values: readonly (string | boolean)[]): readonly [string, (value: unknown) => boolean] =>
  [values.map(inWords).join(' or '), value => values.includes(value as string)]
