import { escape } from './format.ts'
import { palette } from './palette.ts'

type Attributes = Record<string, string | number | undefined>

/** An SVG element; attributes that are `undefined` are left out, and numbers are rounded to a tenth of a pixel. */
export function element(name: string, attributes: Attributes, ...inside: string[]): string {
  const set = Object.entries(attributes).filter(([, value]) => value !== undefined)
  const tag = name + set.map(([key, value]) => ` ${key}="${typeof value === 'number' ? round(value) : value}"`).join('')
  return inside.length ? `<${tag}>${inside.join('')}</${name}>` : `<${tag}/>`
}

const round = (value: number) => Math.round(value * 10) / 10

export interface Lettering {
  size?: number
  fill?: string
  bold?: boolean
  anchor?: 'middle' | 'end'
  transform?: string
}

/** Words at a place, escaped. */
export function text(x: number, y: number, words: string, style: Lettering = {}): string {
  const { size = 12, fill = palette.ink, bold, anchor, transform } = style
  const font = { 'font-size': size, 'font-weight': bold ? 600 : undefined }
  return element('text', { x, y, ...font, fill, 'text-anchor': anchor, transform }, escape(words))
}

/** A figure's title and the line under it. */
export const titles = (title: string, detail: string, x = 16): string =>
  text(x, 28, title, { size: 16, bold: true }) + text(x, 47, detail, { fill: palette.faint })

/** A drawing of this size, without more: {@link figure} makes it a document. */
export const drawing = (width: number, height: number, ...inside: string[]): string =>
  element('svg', { width: Math.ceil(width), height: Math.ceil(height) }, ...inside)

export const rect = (x: number, y: number, width: number, height: number, attributes: Attributes): string =>
  element('rect', { x, y, width, height, ...attributes })

/** A square for a picture, which keeps its proportions in it. */
export const image = (x: number, y: number, side: number, href: string): string =>
  element('image', { x, y, width: side, height: side, href })
