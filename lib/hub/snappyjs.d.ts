declare module 'snappyjs' {
  /** Unpacks a block in snappy's raw format, refusing one larger than `maxLength` bytes. */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array
}
