import { inspect } from 'node:util'
import * as library from '@observablehq/plot'
import { displaySymbol, type MimeBundle } from './host.ts'
import { compose } from './show/compose.ts'
import { document } from './show/dom.ts'
import { figure } from './show/figure.ts'

type Element = SVGSVGElement | HTMLElement

/**
 * Observable Plot, ready for a notebook cell: it needs no browser and no set-up, and a plot that is a cell's last expression
 * shows as a figure (SVG, PNG and text). Everything else is as its documentation says (https://observablehq.com/plot).
 * Interactive parts (tips, pointers) stay still.
 *
 * @example
 * Plot.plot({ marks: [Plot.lineY([0.9, 0.4, 0.2, 0.1]), Plot.ruleY([0])] })
 */
export const Plot: typeof library = {
  ...library,
  plot: (options = {}) => shown(library.plot({ ...options, document: options.document ?? (document as never) })),
  legend: options => shown(library.legend({ ...options, document: document as never } as library.LegendScales)),
}

/** For `import * as Plot from '@observablehq/plot'` in a cell, which gets this module. */
export * from '@observablehq/plot'
export const { plot, legend } = Plot

// A mark plots itself (`Plot.lineY(data).plot()`), and so does a list of marks, through this one method.
library.Mark.prototype.plot = function ({ marks = [], ...options }: library.PlotOptions = {}) {
  return Plot.plot({ ...options, marks: [...marks, this as library.Markish] })
}

function shown<T extends Element>(element: T): T {
  const hidden = (value: unknown) => ({ value, enumerable: false, configurable: true })
  return Object.defineProperties(element, {
    [displaySymbol]: hidden(() => bundle(element)),
    [inspect.custom]: hidden(() => describe(element)),
  })
}

function bundle(element: Element): MimeBundle {
  const svg = element.tagName.toLowerCase() === 'svg' ? element : compose(element as never)
  const text = describe(element)
  return figure(svg, { alt: text, text })
}

/** What the plot says of itself: its title and caption or its aria label, and the marks it holds. */
function describe(element: Element): string {
  const words = [...element.querySelectorAll('h2, h3, figcaption')].map(part => part.textContent?.trim())
  // A plot with a title is a figure around the one that has the label.
  const label = (element.matches('[aria-label]') ? element : element.querySelector('svg[aria-label]'))?.getAttribute('aria-label')
  const marks = [...element.querySelectorAll('svg g[aria-label], g[aria-label]')].map(part => part.getAttribute('aria-label')!)
  const drawn = [...new Set(marks)].filter(name => !/ tick|grid|frame/.test(name)).map(name => name.replace(/ label$/, ''))
  return (label ? [label] : ['Plot', ...words]).filter(Boolean).join(': ') + (drawn.length ? ` (${drawn.join(', ')})` : '')
}
