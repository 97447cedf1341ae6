import sanitize from 'sanitize-html'

/**
 * What front ends leave of the HTML of an untrusted notebook. Both lists hold only what our displays use of what the front end
 * allows, so that anything new has to be looked up first.
 */
export interface Sanitizer {
  clean(html: string): string
}

const color = /^(#[0-9a-f]{6}|transparent)$/
const length = /^(0|\d+(\.\d+)?(px|%))$/
const lengths = /^((0|\d+(\.\d+)?(px|%)) ?){1,4}$/

/**
 * JupyterLab 4: tags, attributes and styles of packages/apputils/src/sanitizer.ts. It keeps inline styles whose values it knows.
 */
export const jupyterLab: Sanitizer = {
  clean: html =>
    sanitize(html, {
      allowedTags: [
        'b',
        'col',
        'colgroup',
        'details',
        'div',
        'pre',
        'progress',
        'span',
        'summary',
        'table',
        'tbody',
        'td',
        'th',
        'thead',
        'tr',
      ],
      allowedAttributes: {
        '*': ['style', 'title'],
        col: ['width'],
        details: ['open'],
        progress: ['max', 'value'],
        table: ['width'],
        td: ['align'],
        th: ['align'],
      },
      allowedStyles: {
        '*': {
          background: [color],
          color: [color],
          opacity: [/^(0|1|0?\.\d+)$/],
          cursor: [/^pointer$/],
          'border-collapse': [/^collapse$/],
          'border-radius': [length],
          display: [/^inline-(table|block)$/],
          'font-size': [length],
          height: [length],
          'line-height': [/^\d+(\.\d+)?$/],
          'list-style-position': [/^outside$/],
          margin: [lengths],
          'margin-left': [length],
          'max-width': [length],
          'min-width': [length],
          'overflow-wrap': [/^break-word$/],
          'overflow-x': [/^auto$/],
          padding: [lengths],
          'padding-left': [length],
          'table-layout': [/^fixed$/],
          'text-align': [/^(left|right)$/],
          'vertical-align': [/^middle$/],
          'white-space': [/^nowrap$/],
          width: [length],
        },
      },
    }),
}

/** GitHub (github/markup, "HTML sanitization"): structure stays, all styles go. */
export const gitHub: Sanitizer = {
  clean: html =>
    sanitize(html, {
      allowedTags: ['b', 'details', 'div', 'pre', 'span', 'summary', 'table', 'tbody', 'td', 'th', 'thead', 'tr'],
      allowedAttributes: { '*': ['title'], details: ['open'], table: ['width'], td: ['align'], th: ['align'] },
    }),
}
