import { inspect, types } from 'node:util'
import type { Comm, MimeBundle } from '../../lib/host.ts'
import type { Output } from '../cell/output.ts'
import { ownCell } from '../running.ts'
import { metadataOf, toBundle, toJson } from './bundle.ts'
import type { Comms } from './comms.ts'

/** What {@link Display} takes beside a value. */
export interface DisplayOptions {
  /** With an id, what is shown can be replaced later by `display.update(id, value)`. */
  id?: string
  /** The value is a mime bundle, to be shown as it is. */
  raw?: boolean
  metadata?: object
}

/** Shows text or bytes as one mime type; also a template's tag: ``display.html`<b>${x}</b>` ``. */
export type DisplayAs = (data: string | Uint8Array | TemplateStringsArray, ...values: unknown[]) => void

/** `display(x)` in a cell. */
export interface Display extends Record<keyof typeof mimes, DisplayAs> {
  /** Shows a value as the last expression of a cell shows, at any place in the code. */
  (value: unknown, options?: DisplayOptions): void
  /** Shows data that are JSON, as a tree one can open. */
  json(data: unknown): void
  /** Replaces what was shown under `id`. */
  update(id: string, value: unknown, options?: { raw?: boolean }): void
  /** Shows a value in the front end's pager, beside the notebook. */
  page(value: unknown): void
  /** Opens a comm to a target that the front end knows. */
  comm(target: string, data?: unknown): Comm
  /** Lets front ends open comms to `target`. */
  onComm(target: string, opened: (comm: Comm, data: unknown) => void): void
}

const mimes = {
  html: 'text/html', markdown: 'text/markdown', latex: 'text/latex', text: 'text/plain', javascript: 'application/javascript',
  svg: 'image/svg+xml', png: 'image/png', jpeg: 'image/jpeg', gif: 'image/gif', pdf: 'application/pdf',
} as const

/**
 * Makes the cells' `display` and `clear`.
 *
 * @param output where it is shown
 * @param page takes what the pager shows
 */
export function makeDisplay(output: Output, comms: Comms, page: (bundle: MimeBundle) => void): { display: Display, clear: (wait?: boolean) => void } {
  const display = (value: unknown, { id, raw = false, metadata = {} }: DisplayOptions = {}) => {
    if (value !== undefined) void show(value, raw, data => publishBundle(output, data, id, metadata))
  }

  const named = Object.fromEntries(Object.entries(mimes).map(([name, mime]) => [name, (data: unknown, ...values: unknown[]) => {
    const tag = Array.isArray(data) && 'raw' in data
    display({ [mime]: tag ? String.raw({ raw: data as string[] }, ...values) : typeof data === 'string' || ArrayBuffer.isView(data) ? data : String(data) }, { raw: true })
  }]))

  return {
    display: Object.assign(display, named, {
      json: (data: unknown) => display({ 'application/json': data, 'text/plain': inspect(data) }, { raw: true }),
      update: (id: string, value: unknown, { raw = false } = {}) => void show(value, raw, data => updateBundle(output, id, data)),
      page: (value: unknown) => void show(value, false, page),
      comm: comms.open.bind(comms),
      onComm: comms.register.bind(comms),
    }) as unknown as Display,
    clear: (wait = false) => output.publish('clear_output', { wait }),
  }
}

/** Sends a value's bundle as soon as it is there; the cell waits for one that is a promise. A `raw` value is a bundle itself. */
export function show(value: unknown, raw: boolean, send: (bundle: MimeBundle) => void): void | Promise<void> {
  const bundle = raw ? toJson(value as MimeBundle) : toBundle(value)
  if (!types.isPromise(bundle)) return send(bundle)
  const cell = ownCell(), shown = bundle.then(send)
  cell?.pending.add(shown)
  shown.then(() => cell?.pending.delete(shown), () => {})
  return shown
}

/** Shows a bundle, under an id where it has one. */
export function publishBundle(output: Output, data: MimeBundle, id?: string, metadata: object = {}): void {
  output.publish('display_data', { data, metadata: { ...metadataOf(data), ...metadata }, transient: id === undefined ? {} : { display_id: id } })
}

/** Replaces what was shown under `id`. */
export function updateBundle(output: Output, id: string, data: MimeBundle): void {
  output.publish('update_display_data', { data, metadata: metadataOf(data), transient: { display_id: id } })
}

