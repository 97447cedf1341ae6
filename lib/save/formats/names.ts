import type { Attribute, Group } from '../hdf5/tree.ts'

/** HDF5 keeps an attribute in its object's header, which ends at 64 KB: longer lists of names are split, as Keras does. */
const headerLimit = 64512

/** What a text of variable length takes in the header; the text itself lies elsewhere. */
const reference = 16

/** Writes a list of names, in parts `name0`, `name1`, … where it is long. */
export function putNames(to: Group, name: string, names: string[]): void {
  const longest = Math.max(reference, ...names.map(each => Buffer.byteLength(each)))
  const parts = Math.max(1, Math.ceil(names.length / Math.max(1, Math.floor(headerLimit / longest))))
  if (parts === 1) {
    to.attributes.set(name, names)
    return
  }
  const each = Math.ceil(names.length / parts)
  for (let i = 0; i < parts; i++) to.attributes.set(`${name}${i}`, names.slice(i * each, (i + 1) * each))
}

/** The names under `name`, or under `name0`, `name1`, …; undefined where there are none. */
export function getNames(from: Group, name: string): string[] | undefined {
  const whole = from.attributes.get(name)
  if (whole !== undefined) return texts(whole)
  const parts: string[] = []
  for (let i = 0, part; (part = from.attributes.get(`${name}${i}`)) !== undefined; i++) parts.push(...texts(part))
  return from.attributes.has(`${name}0`) ? parts : undefined
}

const texts = (value: Attribute): string[] => [value].flat().map(String)
