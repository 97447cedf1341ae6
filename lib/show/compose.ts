import { escape } from './format.ts'
import { palette } from './palette.ts'

/**
 * Plot puts a chart with a title, a caption or a legend into an HTML `<figure>`. Sanitizers strip its `<svg>` and its styles, so
 * the parts are stacked into one SVG instead: title, subtitle, legends, charts, caption. A legend of its own is set the same
 * way.
 */
export function compose(figure: Element): string {
  const parts: string[] = []
  let width = 0
  let y = 0
  const text = (words: string, size: number, fill: string, weight = 400) => {
    parts.push(
      `<text x="12" y="${y + size + 6}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escape(words)}</text>`,
    )
    y += size + 12
    width = Math.max(width, 24 + words.length * size * 0.55)
  }
  const drawing = (svg: Element) => {
    const x = /-ramp/.test(svg.getAttribute('class') ?? '') ? 12 : 0
    parts.push(svg.outerHTML.replace(/^<svg\b/, `<svg x="${x}" y="${y}" overflow="visible" color="${palette.ink}"`))
    y += sizeOf(svg, 'height', 400)
    width = Math.max(width, x + sizeOf(svg, 'width', 640))
  }
  for (const part of figure.tagName.toLowerCase() === 'figure' ? figure.children : [figure]) {
    const name = part.tagName.toLowerCase()
    const words = part.textContent?.trim() ?? ''
    if (name === 'h2') text(words, 16, palette.ink, 600)
    else if (name === 'h3') text(words, 12, palette.faint)
    else if (name === 'figcaption') text(words, 11, palette.faint)
    else if (name === 'svg') drawing(part)
    else if (name === 'div') {
      const legend = swatches(part, 640)
      parts.push(`<g transform="translate(12,${y + 6})">${legend.svg}</g>`)
      y += legend.height + 6
      width = Math.max(width, legend.width + 24)
    }
  }
  const w = Math.ceil(width)
  const h = Math.ceil(y + 6)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">${parts.join('')}</svg>`
}

/** A legend of swatches, set in rows; the width of a label is estimated, as there is no layout engine. */
function swatches(legend: Element, most: number) {
  let x = 0
  let y = 0
  let width = 0
  let svg = ''
  for (const mark of legend.querySelectorAll('svg')) {
    const label = mark.parentElement?.textContent?.trim() ?? ''
    const size = sizeOf(mark, 'width', 15)
    const wide = size + 6 + label.length * 6.2 + 14
    if (x > 0 && x + wide > most) {
      x = 0
      y += 20
    }
    svg +=
      mark.outerHTML.replace(/^<svg\b/, `<svg x="${x}" y="${y}" color="${palette.ink}"`)
      + `<text x="${x + size + 6}" y="${y + 11.5}" font-size="11" fill="${palette.ink}">${escape(label)}</text>`
    x += wide
    width = Math.max(width, x)
  }
  return { svg, width, height: y + 20 }
}

const sizeOf = (svg: Element, side: 'width' | 'height', usual: number) => parseFloat(svg.getAttribute(side) ?? '') || usual
