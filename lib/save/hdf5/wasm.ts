import type { FileNode } from './pieces.ts'

/** What is used of the HDF5 C library as h5wasm compiles it: its plain functions, below h5wasm's classes. */
export interface Hdf5 {
  FS: {
    writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void
    unlink(path: string): void
    lookupPath(path: string): { node: FileNode }
  }
  HEAPU8: Uint8Array<ArrayBuffer>
  UTF8ToString(pointer: number): string
  _malloc(bytes: number): number
  _free(pointer: number): void
  activate_throwing_error_handler(): number
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint
  close_file(file: bigint): number
  create_group(file: bigint, path: string, trackOrder: boolean): number
  create_dataset(file: bigint, path: string, pointer: bigint, metadata: Metadata): number
  create_attribute(file: bigint, path: string, name: string, pointer: bigint, metadata: Metadata): number
  create_vlen_str_attribute(file: bigint, path: string, name: string, value: string[], metadata: Metadata): number
  get_types(file: bigint, path: string): Record<string, number>
  get_attribute_names(file: bigint, path: string): string[]
  get_attribute_metadata(file: bigint, path: string, name: string): Metadata
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number
  get_dataset_metadata(file: bigint, path: string): Metadata
  get_dataset_data(file: bigint, path: string, count: null, offset: null, strides: null, pointer: bigint): number
  H5F_ACC_RDONLY: number
  H5F_ACC_TRUNC: number
  H5F_LIBVER_EARLIEST: number
  H5F_LIBVER_LATEST: number
  H5O_TYPE_GROUP: number
  H5O_TYPE_DATASET: number
}

export interface Metadata {
  type: number
  size: number
  signed: boolean
  vlen: boolean
  littleEndian: boolean
  shape: (number | bigint)[] | null
  total_size?: number
  cset?: number
  maxshape?: null
  chunks?: null
  virtual_sources?: unknown[]
  enum_type?: { members: Record<string, number> }
}

/** HDF5's classes of types (`H5T_class_t`). */
export const H5T = { integer: 0, float: 1, string: 3, enum: 8 } as const

/**
 * Starts the library with a file system of its own in memory: a file can reach nothing on the disk, whatever links it holds.
 * Every error of the C library is thrown, for h5wasm's own functions return the status of a close where a write has failed.
 */
export async function startHdf5(): Promise<Hdf5> {
  const { default: factory } = await import(new URL('./hdf5_util.js', import.meta.resolve('h5wasm')).href)
  const hdf5: Hdf5 = await factory({ noInitialRun: true, print() {}, printErr() {} })
  hdf5.activate_throwing_error_handler()
  return hdf5
}
