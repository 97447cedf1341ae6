const none = Symbol()

/** ECMAScript's SuppressedError, where the engine has none yet. */
const Suppressed: new (error: unknown, suppressed: unknown) => Error = (globalThis as unknown as { SuppressedError?: never }).SuppressedError ??
  class SuppressedError extends Error {
    readonly error: unknown
    readonly suppressed: unknown
    constructor(error: unknown, suppressed: unknown) {
      super('An error was suppressed during disposal.')
      this.error = error
      this.suppressed = suppressed
    }
  }

/**
 * What oxc writes `using` with for engines that do not know it (Node 22): `u` and `a` take the values of `using` and `await using`, `e` is what
 * the block threw, and `d` disposes of them all in reverse order, as ECMAScript's DisposeResources does.
 */
export function usingCtx() {
  const resources: { dispose: () => unknown, wait: boolean }[] = []
  const take = <T>(value: T, wait: boolean): T => {
    if (value === null || value === undefined) {
      if (wait) resources.push({ dispose: () => {}, wait })
      return value
    }
    const own = value as { [Symbol.dispose]?: () => unknown, [Symbol.asyncDispose]?: () => unknown }
    const method = (wait ? own[Symbol.asyncDispose] : undefined) ?? own[Symbol.dispose]
    if (typeof method !== 'function') throw new TypeError(`the value of '${wait ? 'await using' : 'using'}' has no [Symbol.${wait ? 'asyncDispose' : 'dispose'}]() method`)
    resources.push({ dispose: () => method.call(value), wait })
    return value
  }
  return {
    e: none as unknown,
    u: <T>(value: T) => take(value, false),
    a: <T>(value: T) => take(value, true),
    d(): Promise<void> | void {
      const fail = (error: unknown) => { this.e = this.e === none ? error : new Suppressed(error, this.e) }
      const next = (): Promise<void> | void => {
        for (let each = resources.pop(); each; each = resources.pop()) {
          try {
            const result = each.dispose()
            if (each.wait) return Promise.resolve(result).catch(fail).then(next)
          } catch (error) {
            fail(error)
          }
        }
        if (this.e !== none) throw this.e
      }
      return next()
    },
  }
}

/** Puts it where the code that oxc writes looks for it. */
export function installUsing(): void {
  Object.defineProperty(globalThis, 'babelHelpers', { value: { usingCtx }, configurable: true, writable: true, enumerable: false })
}
