import { writeSync } from 'node:fs'

/** The code with which the child's process ends when the kernel's own part of it has failed. */
export const brokenCode = 70

/**
 * Work of the kernel's own in the child, without which cells would wait for ever. Where it fails, most likely because a cell replaced a
 * built-in that it needs, the process ends, and the kernel says so and starts another.
 */
export function vital<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      work(...args)
    } catch (error) {
      writeSync(2, `${error}\n`)
      ;(process as unknown as { reallyExit(code: number): never }).reallyExit(brokenCode)
    }
  }
}
