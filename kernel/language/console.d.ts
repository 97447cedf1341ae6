/** Where the types of Node are not loaded yet: what they say of the commonest of its names. */
interface Console {
  log(...data: any[]): void
  error(...data: any[]): void
  warn(...data: any[]): void
  info(...data: any[]): void
}
declare var console: Console
