import { inspect } from 'node:util'

interface Timer { _destroyed: boolean, _repeat?: number | null }

/** Lets timers show themselves as `Timeout 12`, with the number that `clearTimeout` takes, instead of all that Node keeps in them. */
export function shortenTimers(): void {
  const timeout = setTimeout(() => {}), immediate = setImmediate(() => {})
  clearTimeout(timeout)
  clearImmediate(immediate)
  show(timeout, timer => `${timer._repeat ? 'Interval' : 'Timeout'} ${timer._destroyed ? '(over)' : Number(timer)}`)
  show(immediate, timer => timer._destroyed ? 'Immediate (over)' : 'Immediate')
}

function show(example: object, text: (timer: Timer) => string) {
  Object.defineProperty(Object.getPrototypeOf(example), inspect.custom, {
    value(this: Timer) { return text(this) }, configurable: true, writable: true, enumerable: false,
  })
}
