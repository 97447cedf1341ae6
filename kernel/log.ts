/** Writes a line to the kernel's own log, which the server that started it keeps. */
export function log(line: string): void {
  process.stderr.write(`[graft] ${line}\n`)
}
