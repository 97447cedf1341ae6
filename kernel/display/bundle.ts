import { inspect, types, type InspectOptions } from 'node:util'
import { inWords } from '../../lib/error.ts'
import { displaySymbol, metadataSymbol, type MimeBundle } from '../../lib/host.ts'
import { stringify } from '../own.ts'

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
  if (typeof quietly(own, displaySymbol) === 'function') {
    const bundle: unknown = (own[displaySymbol] as () => unknown)()
    return types.isPromise(bundle) ? bundle.then(settled => complete(settled, value)) : complete(bundle, value)
  }
  return conventional(own) ?? plain(value)
}

/**
 * The bundle as it is sent: bytes as base64, text as text, JSON as it is. Its metadata stays with it.
 * @throws TypeError that names the part which is neither
 */
export function toJson(bundle: MimeBundle): MimeBundle {
  if (typeof bundle !== 'object' || bundle === null || Array.isArray(bundle)) {
    throw new TypeError(`expected a mime bundle such as { 'text/html': '…' }, received ${inWords(bundle)}`)
  }
  const data = Object.fromEntries(Object.entries(bundle).filter(([, data]) => data !== undefined && data !== null).map(([mime, data]) => [mime, part(mime, data)]))
  return Object.defineProperty(data, metadataSymbol, { value: metadataOf(bundle), enumerable: false })
}

function part(mime: string, data: unknown): unknown {
  if (!/^[^\s/]+\/\S/.test(mime)) throw new TypeError(`'${mime}' is no mime type; a mime bundle looks like { 'text/html': '…' }`)
  if (isJson.test(mime)) return json(mime, data)
  if (data instanceof ArrayBuffer) data = Buffer.from(data)
  if (ArrayBuffer.isView(data)) {
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(/^text\/|\+xml$|\/(x-)?(java|ecma)script$/.test(mime) ? 'utf8' : 'base64')
  }
  if (Array.isArray(data) && data.every(line => typeof line === 'string')) return data.join('')
  if (['string', 'number', 'bigint', 'boolean'].includes(typeof data)) return String(data)
  throw new TypeError(`'${mime}' in a mime bundle should be text or bytes, received ${inWords(data)}${types.isPromise(data) ? ': await it first' : ''}`)
}

const isJson = /[/+]json$/

function json(mime: string, data: unknown): unknown {
  let text: string | undefined, reason: string
  try {
    text = stringify(data)
    reason = inWords(data)
  } catch (error) {
    reason = String((error as Error)?.message ?? error).split('\n')[0].replace(/^Do not know how to serialize a/, 'it holds a').replace(/^Converting circular structure to JSON/, 'it refers to itself')
  }
  if (text === undefined) throw new TypeError(`'${mime}' in a mime bundle should be JSON, and this is not: ${reason}`)
  return data
}

/** The metadata that goes beside a bundle in its message, by mime type, e.g. the size at which a picture is shown. */
export function metadataOf(bundle: MimeBundle): object {
  return (bundle as Record<symbol, object | undefined>)[metadataSymbol] ?? {}
}

/** A value as text alone. */
export function toText(value: unknown): string {
  try {
    return inspect(value, options)
  } catch (error) {
    if (typeof value === 'string') return `a text of ${value.length} characters, too long to be shown`
    throw error
  }
}

/** Which image a file's bytes are, by how they begin; null for what a notebook cannot show. */
export function imageMime(bytes: Uint8Array): string | null {
  return images.find(([, ...start]) => start.every((byte, at) => bytes[at] === byte))?.[0] ?? null
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

/** A property, or nothing where looking at it throws. */
function quietly(value: Record<string | symbol, unknown>, name: string | symbol): unknown {
  try { return value[name] } catch { return undefined }
}

function conventional(value: Record<string | symbol, unknown>): MimeBundle | null {
  const get = (name: string) => quietly(value, name)
  if (typeof get('toSpec') === 'function') {
    const spec = (value.toSpec as () => unknown)() as { $schema?: unknown } | undefined
    if (typeof spec?.$schema === 'string' && /vega-lite/.test(spec.$schema)) return toJson({ 'application/vnd.vegalite.v5+json': spec, ...plain(spec) })
    if (typeof spec?.$schema === 'string' && /vega/.test(spec.$schema)) return toJson({ 'application/vnd.vega.v5+json': spec, ...plain(spec) })
  }
  if (typeof get('toDataURL') === 'function') {
    const [, mime, data] = /^data:([^;,]+);base64,(.*)$/s.exec(String((value.toDataURL as () => unknown)())) ?? []
    if (mime) return { [mime]: data, 'text/plain': `<canvas ${String(get('width'))}×${String(get('height'))}>` }
  }
  const outer = get('outerHTML')
  if (typeof outer === 'string') return element(outer)
  if (types.isUint8Array(value)) {
    const mime = imageMime(value)
    if (mime) return toJson({ [mime]: value, 'text/plain': `<${mime}, ${value.length} bytes>` })
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
