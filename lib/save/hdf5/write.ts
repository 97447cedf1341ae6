import type { Parts } from '../disk.ts'
import { shared } from '../numbers.ts'
import { Collector, makeFile } from './pieces.ts'
import { H5T, type Hdf5, type Metadata } from './wasm.ts'
import { bytesOf, type Attribute, type DType, type Group } from './tree.ts'

const path = '/out.h5'

/** Tensors from this size on become parts of the file where they lie; the library copies smaller ones together anyway. */
const large = 1 << 18

/**
 * Writes a tree as an HDF5 file, in the layout of h5py's default (`libver` earliest). Returns its bytes, in shared memory, in
 * parts: large tensors that lie in shared memory are parts of it as they are.
 */
export function writeHdf5(hdf5: Hdf5, root: Group): Parts {
  const collector = new Collector(makeFile(hdf5, path), new Uint8Array(shared(estimate(root))))
  const file = hdf5.open(path, hdf5.H5F_ACC_TRUNC, false, hdf5.H5F_LIBVER_EARLIEST, hdf5.H5F_LIBVER_LATEST)
  writeGroup(hdf5, file, collector, '', root)
  if (hdf5.close_file(file) < 0) throw new Error('the file could not be closed')
  hdf5.FS.unlink(path)
  return collector.parts()
}

function estimate(root: Group): number {
  let bytes = 4096
  for (const value of root.attributes.values()) bytes += 1024 + 2 * JSON.stringify(value).length
  for (const { data } of root.datasets.values()) bytes += 1024 + data!.byteLength
  for (const child of root.groups.values()) bytes += estimate(child)
  return bytes
}

function writeGroup(
  hdf5: Hdf5, file: bigint, collector: Collector, at: string, { attributes, groups, datasets }: Group,
): void {
  for (const [name, value] of attributes) writeAttribute(hdf5, file, at || '/', name, value)
  for (const [name, { dtype, shape, data }] of datasets) {
    const metadata = { ...typeOf(dtype), shape: shape.map(BigInt), maxshape: null, chunks: null }
    const create = (pointer: bigint) => hdf5.create_dataset(file, `${at}/${name}`, pointer, metadata)
    const stays = data!.byteLength >= large && (data!.buffer as ArrayBufferLike) instanceof SharedArrayBuffer
    if (!stays) withBytes(hdf5, data!, create)
    else withMemory(hdf5, data!.byteLength, pointer => collector.lend(pointer, data!, () => create(BigInt(pointer))))
  }
  for (const [name, child] of groups) {
    hdf5.create_group(file, `${at}/${name}`, false)
    writeGroup(hdf5, file, collector, `${at}/${name}`, child)
  }
}

function writeAttribute(hdf5: Hdf5, file: bigint, at: string, name: string, value: Attribute): void {
  const texts =
    typeof value === 'string' ? [value] : Array.isArray(value) && typeof value[0] === 'string' ? (value as string[]) : undefined
  if (texts) {
    const cset = /^[\x00-\x7f]*$/.test(texts.join('')) ? 0 : 1
    const shape = Array.isArray(value) ? [BigInt(texts.length)] : []
    const metadata: Metadata = { type: H5T.string, size: 4, cset, vlen: true, signed: false, littleEndian: true, shape }
    hdf5.create_vlen_str_attribute(file, at, name, texts, metadata)
  } else {
    // An empty list of names is an empty list of numbers, as NumPy has it.
    const numbers = Float64Array.from([value].flat() as number[])
    const shape = Array.isArray(value) ? [BigInt(value.length)] : []
    withBytes(hdf5, new Uint8Array(numbers.buffer), pointer =>
      hdf5.create_attribute(file, at, name, pointer, { ...typeOf('float64'), shape }),
    )
  }
}

function typeOf(dtype: DType): Metadata {
  if (dtype === 'float16' || dtype === 'bool') throw new Error(`${dtype} cannot be written`)
  const type = dtype.startsWith('float') ? H5T.float : H5T.integer
  return { type, size: bytesOf[dtype], signed: dtype.startsWith('int'), vlen: false, littleEndian: true, shape: null }
}

function withBytes(hdf5: Hdf5, bytes: Uint8Array, use: (pointer: bigint) => number): void {
  withMemory(hdf5, bytes.byteLength, pointer => {
    hdf5.HEAPU8.set(bytes, pointer)
    return use(BigInt(pointer))
  })
}

function withMemory(hdf5: Hdf5, bytes: number, use: (pointer: number) => number): void {
  const pointer = hdf5._malloc(Math.max(1, bytes))
  if (!pointer) throw new Error(`no memory for a tensor of ${bytes} bytes`)
  if (use(pointer) < 0) throw new Error('a value could not be written')
  hdf5._free(pointer)
}
