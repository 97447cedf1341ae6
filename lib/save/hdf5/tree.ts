/** The number types of tensors that a file can hold; `float16` and `bfloat16` are widened when read. */
export type DType =
  'float32' | 'float64' | 'float16' | 'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'bool'

/** A dataset: its bytes are little-endian, in row-major order. `data` is absent where only the outline was asked for. */
export interface Dataset {
  shape: number[]
  dtype: DType
  data?: Uint8Array<ArrayBuffer>
}

/** An attribute's value. Strings are written with variable length, as h5py writes `bytes`, so that they may be of any size. */
export type Attribute = string | string[] | number | number[]

/** An HDF5 group, the file's root too. */
export interface Group {
  attributes: Map<string, Attribute>
  groups: Map<string, Group>
  datasets: Map<string, Dataset>
  /** In the root of a tree that was read: how many attributes and datasets are of types that cannot be read here. */
  skipped?: number
}

/** A new, empty group. */
export const group = (): Group => ({ attributes: new Map(), groups: new Map(), datasets: new Map() })

/** How many bytes one number takes. */
export const bytesOf: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
}

/** The group `name` in `parent`, made if it is not there. */
export function subgroup(parent: Group, name: string): Group {
  let child = parent.groups.get(name)
  if (!child) parent.groups.set(name, (child = group()))
  return child
}

/** Puts a dataset at `path` (parts divided by `/`) below `parent`, with the groups on the way there. */
export function place(parent: Group, path: string, dataset: Dataset): void {
  const parts = path.split('/')
  const name = parts.pop() as string
  for (const part of parts) parent = subgroup(parent, part)
  parent.datasets.set(name, dataset)
}

/** The dataset at `path` below `parent`, if there is one. */
export function find(parent: Group, path: string): Dataset | undefined {
  const parts = path.split('/').filter(part => part !== '')
  const name = parts.pop()
  let at: Group | undefined = parent
  for (const part of parts) at = at?.groups.get(part)
  return name === undefined ? undefined : at?.datasets.get(name)
}

/** The first difference between what was read back and what should have been written. */
export function difference(read: Group, wanted: Group, at = ''): string | undefined {
  for (const [name, value] of wanted.attributes) {
    if (JSON.stringify(read.attributes.get(name)) !== JSON.stringify(value)) return `the attribute ${at}/${name}`
  }
  for (const [name, { shape, dtype, data }] of wanted.datasets) {
    const got = read.datasets.get(name)
    const equal = got?.data && data && got.dtype === dtype && got.shape.join() === shape.join()
      && (got.data === data || Buffer.compare(got.data, data) === 0)
    if (!equal) return `the tensor ${at}/${name}`
  }
  for (const [name, child] of wanted.groups) {
    const below = read.groups.get(name)
    const found = below ? difference(below, child, `${at}/${name}`) : `the group ${at}/${name}`
    if (found) return found
  }
  return undefined
}
