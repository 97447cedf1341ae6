
/** What is shown, by mime type, as Jupyter's `display_data` carries it. `text/plain` is always there. */
export type MimeBundle = Record<string, unknown>

/** A channel to a widget in the front end (Jupyter messaging, "custom messages"). */
export interface Comm {
  readonly id: string
  send(data: unknown, buffers?: Uint8Array[]): void
  onMessage(listener: (data: unknown, buffers: Uint8Array[]) => void): void
  /** Calls `listener` once the front end has closed the comm: it knows no such target, or the widget is gone. */
  onClose?(listener: () => void): void
  close(): void
}

/** All that the library needs of its surroundings. A kernel installs its own; without one it is the terminal. */
export interface Host {
  /** Shows a bundle; with an `id` it can be replaced by {@link Host.update}. */
  display(bundle: MimeBundle, id?: string): void
  /** Replaces what was displayed under `id`. */
  update(id: string, bundle: MimeBundle): void
  /** Opens a comm to `target`, or gives `null` where there is no front end. */
  comm(target: string, data?: unknown, metadata?: object): Comm | null
  /** Aborted when the user interrupts the running cell. Read it anew in each call: every cell has its own. */
  readonly signal: AbortSignal
  /** Runs work that an interrupt must not tear, such as a training step or the writing of a file: the interrupt is thrown at its end, and no other section begins,
   * unless it is `closing` what an earlier one opened. */
  section?<T>(work: () => T, options?: { closing?: boolean }): T
  /** Has `restore` called after every interrupt, when no code runs: an interrupt may have cut off code with its `finally` blocks. */
  afterInterrupt?(restore: () => void): void
  /** Tells the type checker of later cells that `value` has the TypeScript type `ts`. */
  typeOf(value: unknown, ts: string): void
}

/** The method by which a value shows itself: it returns a mime bundle, at once or as a promise (Deno's convention). */
export const displaySymbol: unique symbol = Symbol.for('Jupyter.display') as never

/** A bundle may carry the display message's metadata under this symbol, by mime type: `{ 'image/png': { width: 640, height: 400 } }`. */
export const metadataSymbol: unique symbol = Symbol.for('Jupyter.metadata') as never

const slot = Symbol.for('graft.host')
const holder = globalThis as unknown as Record<symbol, Host | undefined>

/** The host in charge now. */
export function host(): Host {
  return holder[slot] ??= terminal()
}

/** Puts another host in charge; a kernel calls it once, before any of the library's work. */
export function installHost(next: Host): void {
  holder[slot] = next
}

/** A new id for something that will be updated in place. */
export const displayId = (): string => crypto.randomUUID()

function terminal(): Host {
  const never = new AbortController().signal
  const print = (bundle: MimeBundle) => console.log(String(bundle['text/plain'] ?? ''))
  const shown = new Map<string, string>()
  return {
    display(bundle, id) {
      print(bundle)
      if (id) shown.set(id, String(bundle['text/plain']))
    },
    update(id, bundle) {
      const text = String(bundle['text/plain'])
      if (shown.get(id) !== text) print(bundle)
      shown.set(id, text)
    },
    comm: () => null,
    signal: never,
    typeOf() {},
  }
}
