// What a thread of `readers.ts` runs.
import { parentPort } from 'node:worker_threads'
import { GraftError } from '../error.ts'
import type { ImageShape } from './decode.ts'
import { readPicture, type Picture } from './picture.ts'

export interface Order { id: number, file: string, shape: ImageShape }
export type Answer = { id: number } & ({ picture: Picture } | { refused: string } | { failed: unknown })

parentPort!.on('message', async ({ id, file, shape }: Order) => {
  const answer = (rest: { picture: Picture } | { refused: string } | { failed: unknown }, moved: ArrayBuffer[] = []) =>
    parentPort!.postMessage({ id, ...rest } satisfies Answer, moved)
  try {
    const { pixels, content } = await readPicture(file, shape)
    // What a library has made may lie in memory that cannot be moved.
    const own = pixels.constructor === Uint8Array ? pixels as Uint8Array<ArrayBuffer> : new Uint8Array(pixels)
    answer({ picture: { pixels: own, content } }, [own.buffer])
  } catch (error) {
    answer(error instanceof GraftError ? { refused: error.message } : { failed: error })
  }
})
