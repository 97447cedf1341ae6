import { displayId, host } from '../../lib/host.ts'
import { toJson } from './bundle.ts'

// What `import * as tslab from 'tslab'` finds in a cell, so that notebooks written for that kernel run here.

/** tslab's way to show text and bytes, a method for each mime type. */
export interface Display {
  javascript(code: string): void
  html(text: string): void
  markdown(text: string): void
  latex(text: string): void
  svg(text: string): void
  png(bytes: Uint8Array): void
  jpeg(bytes: Uint8Array): void
  gif(bytes: Uint8Array): void
  pdf(bytes: Uint8Array): void
  text(text: string): void
  raw(mime: string, data: string | Uint8Array): void
}

function makeDisplay(raw: Display['raw']): Display {
  const as = (mime: string) => (data: string | Uint8Array) => raw(mime, data)
  return {
    raw, javascript: as('text/javascript'), html: as('text/html'), markdown: as('text/markdown'), latex: as('text/latex'), svg: as('image/svg+xml'),
    png: as('image/png'), jpeg: as('image/jpeg'), gif: as('image/gif'), pdf: as('application/pdf'), text: as('text/plain'),
  }
}

/** Shows each thing in a place of its own. */
export const display: Display = makeDisplay((mime, data) => host().display(toJson({ [mime]: data })))

/** A display that shows everything in one place, each thing instead of the one before. */
export function newDisplay(): Display {
  const id = displayId()
  let shown = false
  return makeDisplay((mime, data) => {
    const bundle = toJson({ [mime]: data })
    if (shown) host().update(id, bundle)
    else host().display(bundle, id)
    shown = true
  })
}

/** Versions, as tslab tells them. */
export const versions = { tslab: 'graft', typescript: '7', node: process.version }
