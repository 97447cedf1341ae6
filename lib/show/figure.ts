import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Resvg as ResvgClass } from '@resvg/resvg-js'
import { GraftError } from '../error.ts'
import type { MimeBundle } from '../host.ts'
import { showable } from './bundle.ts'
import { escape } from './format.ts'
import { palette } from './palette.ts'

export interface FigureOptions {
  /** What the picture says, for those who do not see it. Becomes the SVG's title, and `alt` in the bitmap's metadata. */
  alt?: string
  /** The plain text form; by default the alt text. */
  text?: string
}

/**
 * Turns an SVG into what every front end can draw: the SVG itself, a PNG at twice its size (JupyterLab draws no SVG of an
 * untrusted notebook), and text. The picture gets a white card, so that it reads the same on a light and on a dark page. Throws
 * where the text is no SVG.
 *
 * @example
 * figure('<svg width="80" height="80"><circle cx="40" cy="40" r="30" fill="teal"/></svg>', { alt: 'A teal disc' })
 */
export function figure(svg: string | { outerHTML: string }, options: FigureOptions = {}): MimeBundle {
  const source = typeof svg === 'string' ? svg : svg.outerHTML
  const { text, width, height, label } = asDocument(source, options.alt), plain = `Figure, ${width} × ${height} pixels`
  return showable(
    {
      'image/svg+xml': text,
      'image/png': rasterize(text).toString('base64'),
      'text/plain': options.text ?? label ?? plain,
    },
    { 'image/png': { width, height, alt: label ?? plain } },
  )
}

/**
 * A figure that holds photographs: SVG, text, and a JPEG in the place of the PNG, which would be four times as large; the
 * notebook is saved with all of them.
 */
export async function photoFigure(svg: string, options: FigureOptions & { alt: string }): Promise<MimeBundle> {
  const { text, width, height } = asDocument(svg, options.alt)
  const { default: sharp } = await import('sharp')
  const jpeg = await sharp(rasterize(text))
    .flatten({ background: palette.card })
    .jpeg({ quality: 85, chromaSubsampling: '4:4:4' })
    .toBuffer()
  return showable(
    { 'image/svg+xml': text, 'image/jpeg': jpeg.toString('base64'), 'text/plain': options.text ?? options.alt },
    { 'image/jpeg': { width, height, alt: options.alt } },
  )
}

/** Draws an SVG into a PNG, by default at twice its size, with fonts that are the same on every machine. */
export function rasterize(svg: string, scale = 2): Buffer {
  const { Resvg } = resvg()
  const plain = svg.replaceAll('var(--plot-background)', palette.card).replace(/<style[^]*?<\/style>/g, '')
  try {
    return new Resvg(plain, {
      fitTo: { mode: 'zoom', value: scale },
      font: {
        fontFiles: fonts,
        defaultFontFamily: 'Inter',
        sansSerifFamily: 'Inter',
        serifFamily: 'Inter',
        monospaceFamily: 'Inter',
        loadSystemFonts: beyondInter.test(plain),
      },
    })
      .render()
      .asPng()
  } catch (error) {
    throw new GraftError(
      `figure: expected an SVG document, received ${JSON.stringify(svg.slice(0, 80))}…: ${(error as Error).message}`,
    )
  }
}

/**
 * The bundled fonts hold Latin, Greek and Cyrillic. Any other script sends resvg through the system's fonts, which takes longer.
 */
const beyondInter = /[^\u0000-\u017f\u0370-\u045f\u2010-\u22ff\u25a0-\u25ff\u2605\u2606\u2713-\u2717\ufffd]/u
const fonts = ['Inter-Regular.ttf', 'Inter-SemiBold.ttf'].map(name => fileURLToPath(new URL(`fonts/${name}`, import.meta.url)))

const resvg = () => createRequire(import.meta.url)('@resvg/resvg-js') as { Resvg: typeof ResvgClass }

/** The SVG as a document of its own: namespaces, a size, a title, and the white card under everything. */
export function asDocument(source: string, alt?: string): { text: string; width: number; height: number; label?: string } {
  const open = /<svg\b[^>]*>/.exec(source)
  if (!open) throw new GraftError(`figure: expected an SVG document, received ${JSON.stringify(source.slice(0, 80))}`)
  const attributes = new Map([...open[0].matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
  const box = attributes
    .get('viewBox')
    ?.split(/[\s,]+/)
    .map(Number)
  const width = pixels(attributes.get('width')) ?? box?.[2] ?? 640
  const height = pixels(attributes.get('height')) ?? box?.[3] ?? 400
  const [x, y, w, h] = box ?? [0, 0, width, height]
  const label = alt ?? unescape(attributes.get('aria-label'))
  attributes
    .set('xmlns', 'http://www.w3.org/2000/svg')
    .set('width', String(width))
    .set('height', String(height))
    .set('role', 'img')
  if (/xlink:/.test(source)) attributes.set('xmlns:xlink', 'http://www.w3.org/1999/xlink')
  if (!attributes.has('viewBox')) attributes.set('viewBox', `${x} ${y} ${w} ${h}`)
  if (!attributes.has('color')) attributes.set('color', palette.ink)
  if (!attributes.has('font-family')) attributes.set('font-family', 'Inter, system-ui, sans-serif')
  if (label) attributes.set('aria-label', escape(label))
  const tag = [...attributes].map(([name, value]) => ` ${name}="${value}"`).join('')
  const card = `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="6" fill="${palette.card}" stroke="none"/>`
  const title = label ? `<title>${escape(label)}</title>` : ''
  return { text: `<svg${tag}>${title}${card}${source.slice(open.index + open[0].length)}`, width, height, label }
}

const pixels = (value: string | undefined) => (value && /^[\d.]+(px)?$/.test(value) ? parseFloat(value) : undefined)
const unescape = (text: string | undefined) =>
  text
    ?.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
