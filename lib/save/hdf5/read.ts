import { H5T, type Hdf5, type Metadata } from './wasm.ts'
import { sizeOf, type Parts } from '../disk.ts'
import { mountParts } from './pieces.ts'
import { bytesOf, group, type Attribute, type Dataset, type DType, type Group } from './tree.ts'

const path = '/in.h5'

/** The bounds within which a file is read. A file beyond them is damaged or hostile: no model's file comes near. */
const most = { depth: 48, objects: 200_000, attributes: 400_000, attributeBytes: 256 << 20 }

/**
 * Reads a whole HDF5 file into a tree; with `outline` without the datasets' numbers. Numbers that are byte for byte those of
 * `wanted` are not copied: the tree then has the same buffer.
 */
export function readHdf5(hdf5: Hdf5, parts: Parts, outline: boolean, wanted?: Group): Group {
  mountParts(hdf5, path, parts)
  const file = hdf5.open(path, hdf5.H5F_ACC_RDONLY, false, -1, -1)
  const budget = { objects: 0, attributes: 0, attributeBytes: 0, skipped: 0, data: (256 << 20) + 32 * sizeOf(parts) }
  const root = readGroup(hdf5, file, '', 0, outline, budget, wanted)
  hdf5.close_file(file)
  hdf5.FS.unlink(path)
  return { ...root, skipped: budget.skipped }
}

interface Budget {
  objects: number
  attributes: number
  attributeBytes: number
  skipped: number
  data: number
}

function readGroup(
  hdf5: Hdf5, file: bigint, at: string, depth: number, outline: boolean, budget: Budget, wanted?: Group,
): Group {
  if (depth > most.depth) throw new Error(`groups are nested more than ${most.depth} deep`)
  const result = group()
  for (const name of hdf5.get_attribute_names(file, at || '/')) {
    if (++budget.attributes > most.attributes) throw new Error(`more than ${most.attributes} attributes`)
    const value = readAttribute(hdf5, file, at || '/', name, budget)
    if (value !== undefined) result.attributes.set(name, value)
    else budget.skipped++
  }
  for (const [name, type] of Object.entries(hdf5.get_types(file, at || '/'))) {
    if (++budget.objects > most.objects) throw new Error(`more than ${most.objects} objects`)
    if (type === hdf5.H5O_TYPE_GROUP) {
      const below = wanted?.groups.get(name)
      result.groups.set(name, readGroup(hdf5, file, `${at}/${name}`, depth + 1, outline, budget, below))
    } else if (type === hdf5.H5O_TYPE_DATASET) {
      const dataset = readDataset(hdf5, file, `${at}/${name}`, outline, budget, wanted?.datasets.get(name)?.data)
      if (dataset) result.datasets.set(name, dataset)
      else budget.skipped++
    }
  }
  return result
}

function readAttribute(hdf5: Hdf5, file: bigint, at: string, name: string, budget: Budget): Attribute | undefined {
  const metadata = hdf5.get_attribute_metadata(file, at, name)
  if (metadata.shape === null) return []
  const count = metadata.total_size!,
    bytes = count * metadata.size
  budget.attributeBytes += bytes
  if (!(budget.attributeBytes <= most.attributeBytes)) throw new Error(`more than ${most.attributeBytes} bytes of attributes`)
  const scalar = metadata.shape.length === 0
  if (metadata.type === H5T.string) {
    const texts = withMemory(hdf5, bytes, pointer => {
      check(hdf5.get_attribute_data(file, at, name, BigInt(pointer)), `the attribute '${name}'`)
      return Array.from({ length: count }, (_, i) =>
        metadata.vlen
          ? hdf5.UTF8ToString(new DataView(hdf5.HEAPU8.buffer).getUint32(pointer + 4 * i, true))
          : fixedText(hdf5.HEAPU8.subarray(pointer + i * metadata.size, pointer + (i + 1) * metadata.size)),
      )
    })
    return scalar ? texts[0] : texts
  }
  const dtype = dtypeOf(metadata)
  if (!dtype) return undefined
  const numbers = withMemory(hdf5, bytes, pointer => {
    check(hdf5.get_attribute_data(file, at, name, BigInt(pointer)), `the attribute '${name}'`)
    return toNumbers(hdf5.HEAPU8.slice(pointer, pointer + bytes), dtype)
  })
  return scalar ? numbers[0] : numbers
}

function readDataset(
  hdf5: Hdf5, file: bigint, at: string, outline: boolean, budget: Budget, wanted?: Dataset['data'],
): Dataset | undefined {
  const metadata = hdf5.get_dataset_metadata(file, at)
  const dtype = dtypeOf(metadata)
  if (!dtype || metadata.shape === null) return undefined
  if (metadata.virtual_sources) throw new Error(`'${at}' takes its numbers from other files`)
  const shape = metadata.shape.map(Number),
    count = metadata.total_size!,
    bytes = count * metadata.size
  budget.data -= bytes
  if (!(budget.data >= 0)) throw new Error(`'${at}' claims ${bytes} bytes, far more than the file holds`)
  if (outline) return { shape, dtype }
  const data = withMemory(hdf5, bytes, pointer => {
    if (count) check(hdf5.get_dataset_data(file, at, null, null, null, BigInt(pointer)), `'${at}'`)
    const read = hdf5.HEAPU8.subarray(pointer, pointer + bytes)
    return wanted && Buffer.compare(read, wanted) === 0 ? wanted : read.slice()
  })
  return { shape, dtype, data }
}

function dtypeOf({ type, size, signed, enum_type }: Metadata): DType | undefined {
  if (type === H5T.float) return ({ 2: 'float16', 4: 'float32', 8: 'float64' } as const)[size]
  if (type === H5T.integer)
    return (`${signed ? 'int' : 'uint'}${8 * size}` as DType) in bytesOf
      ? (`${signed ? 'int' : 'uint'}${8 * size}` as DType)
      : undefined
  // h5py writes booleans as an enumeration of FALSE and TRUE.
  if (type === H5T.enum && size === 1 && enum_type?.members.TRUE === 1) return 'bool'
  return undefined
}

function toNumbers(bytes: Uint8Array<ArrayBuffer>, dtype: DType): number[] {
  const { buffer } = bytes
  switch (dtype) {
    case 'float32':
      return [...new Float32Array(buffer)]
    case 'float64':
      return [...new Float64Array(buffer)]
    case 'int8':
      return [...new Int8Array(buffer)]
    case 'int16':
      return [...new Int16Array(buffer)]
    case 'int32':
      return [...new Int32Array(buffer)]
    case 'int64':
      return Array.from(new BigInt64Array(buffer), Number)
    case 'uint16':
      return [...new Uint16Array(buffer)]
    case 'uint32':
      return [...new Uint32Array(buffer)]
    case 'uint64':
      return Array.from(new BigUint64Array(buffer), Number)
    default:
      return [...bytes]
  }
}

function fixedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8')
}

function withMemory<T>(hdf5: Hdf5, bytes: number, use: (pointer: number) => T): T {
  if (!(bytes < 2 ** 31 - 2 ** 26)) throw new Error(`one tensor of ${bytes} bytes is more than can be read`)
  const pointer = hdf5._malloc(Math.max(8, bytes))
  if (!pointer) throw new Error(`no memory for ${bytes} bytes`)
  const result = use(pointer)
  hdf5._free(pointer)
  return result
}

function check(status: number, what: string): void {
  if (status < 0) throw new Error(`${what} cannot be read`)
}
