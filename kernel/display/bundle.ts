import { inspect, type InspectOptions } from 'node:util'
import { displaySymbol, metadataSymbol, type MimeBundle } from '../../lib/host.ts'

/** Text is shown whole, deeper than the console does, and without colours, which notebooks would show as codes. */
const options: InspectOptions = { depth: 4, colors: false, maxStringLength: Infinity, breakLength: 100 }

const images: [mime: string, ...start: number[]][] = [
  ['image/png', 0x89, 0x50, 0x4e, 0x47], ['image/jpeg', 0xff, 0xd8, 0xff], ['image/gif', 0x47, 0x49, 0x46, 0x38],
]

/**
 * How a value shows itself, as a mime bundle. Asked in this order: its own `Symbol.for('Jupyter.display')` method, which may be async; then the
 * conventions of Deno's kernel: `toSpec` (Vega), `toDataURL` (a canvas), `outerHTML` (an element), bytes of an image; and `util.inspect`.
 *
 * @example
 * await toBundle({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>' }) })   // { 'text/html': '<b>x</b>', 'text/plain': … }
 */
export function toBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return plain(value)
  const own = value as Record<string | symbol, unknown>
  if (typeof own[displaySymbol] === 'function') {
    const bundle: unknown = (own[displaySymbol] as () => unknown)()
    return bundle instanceof Promise ? bundle.then(settled => complete(settled, value)) : complete(bundle, value)
  }
  return conventional(own) ?? plain(value)
}

/** The bundle as it is sent: bytes as base64, everything checked to be JSON. Its metadata stays with it. */
export function toJson(bundle: MimeBundle): MimeBundle {
  const data = Object.fromEntries(Object.entries(bundle).filter(([, data]) => data !== undefined)
    .map(([mime, data]) => [mime, ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') : data]))
  return Object.defineProperty(data, metadataSymbol, { value: metadataOf(bundle), enumerable: false })
}

/** The metadata that goes beside a bundle in its message, by mime type, e.g. the size at which a picture is shown. */
export function metadataOf(bundle: MimeBundle): object {
  return (bundle as Record<symbol, object | undefined>)[metadataSymbol] ?? {}
}

/** A value as text alone. */
export function toText(value: unknown): string {
  return inspect(value, options)
}

function plain(value: unknown): MimeBundle {
  return { 'text/plain': toText(value) }
}

function complete(bundle: unknown, value: unknown): MimeBundle {
  if (typeof bundle !== 'object' || bundle === null || Array.isArray(bundle)) {
    throw new TypeError(`Symbol.for('Jupyter.display') should return a mime bundle such as { 'text/html': '…' }, received ${toText(bundle)}`)
  }
  return 'text/plain' in bundle ? toJson(bundle as MimeBundle) : toJson({ ...bundle, ...plain(value) })
}

function conventional(value: Record<string | symbol, unknown>): MimeBundle | null {
  const get = (name: string) => { try { return value[name] } catch { return undefined } }
  if (typeof get('toSpec') === 'function') {
    const spec = (value.toSpec as () => unknown)() as { $schema?: unknown } | undefined
    if (typeof spec?.$schema === 'string' && /vega-lite/.test(spec.$schema)) return { 'application/vnd.vegalite.v5+json': spec, ...plain(spec) }
    if (typeof spec?.$schema === 'string' && /vega/.test(spec.$schema)) return { 'application/vnd.vega.v5+json': spec, ...plain(spec) }
  }
  if (typeof get('toDataURL') === 'function') {
    const [, mime, data] = /^data:([^;,]+);base64,(.*)$/s.exec(String((value.toDataURL as () => unknown)())) ?? []
    if (mime) return { [mime]: data, 'text/plain': `<canvas ${String(get('width'))}×${String(get('height'))}>` }
  }
  const outer = get('outerHTML')
  if (typeof outer === 'string') return element(outer)
  if (value instanceof Uint8Array) {
    const found = images.find(([, ...start]) => start.every((byte, at) => value[at] === byte))
    if (found) return toJson({ [found[0]]: value, 'text/plain': `<${found[0]}, ${value.length} bytes>` })
  }
  return null
}

function element(outer: string): MimeBundle {
  const text = { 'text/plain': outer.length > 200 ? `${outer.slice(0, 200)}…` : outer }
  if (!/^<svg[\s>]/i.test(outer)) return { 'text/html': outer, ...text }
  // Inside HTML an svg element needs no namespace; as an image of its own it does.
  const svg = /^<svg[^>]*\sxmlns=/i.test(outer) ? outer : outer.replace(/^<svg/i, '<svg xmlns="http://www.w3.org/2000/svg"')
  return { 'image/svg+xml': svg, ...text }
}
