import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHTML } from 'linkedom/worker'
import { layerTable } from '../../../../lib/show/layers.ts'
import { progressView } from '../../../../lib/show/progress.ts'
import { customized, longTrained, marked, trained, trunk } from './samples.ts'
import { gitHub, jupyterLab } from './sanitizers.ts'

const displays = {
  'a layer table': () => layerTable(customized())['text/html'] as string,
  'a layer table with marks': () => layerTable(marked())['text/html'] as string,
  'the layer table of a trained model': () => layerTable(trained())['text/html'] as string,
  'a layer table of 900 layers': () => layerTable(trunk(179))['text/html'] as string,
  'the layer table of 900 trained layers': () => layerTable(longTrained())['text/html'] as string,
  'a progress bar': () =>
    progressView({ label: 'Decoding', total: 200, done: 40, seconds: 1, state: 'running', depth: 1 })['text/html'] as string,
}

/** Each element with its attributes and styles, and the text, in order. */
function contents(html: string): string[] {
  const { document } = parseHTML(`<html><body>${html}</body></html>`)
  return [...document.querySelectorAll('body *')]
    .map(element => {
      const attributes = [...element.attributes].map(
        ({ name, value }) => `${name}=${name === 'style' ? value.replace(/\s*([:;])\s*/g, '$1').replace(/;$/, '') : value}`,
      )
      return `${element.tagName} ${attributes.sort().join(' ')}`
    })
    .concat(words(html))
}

const words = (html: string) =>
  parseHTML(`<html><body>${html}</body></html>`)
    .document.body.textContent!.replace(/[\s\u00a0]+/g, ' ')
    .trim()

for (const [name, make] of Object.entries(displays)) {
  test(`JupyterLab leaves all of ${name} in an untrusted notebook`, () => {
    const html = make()
    assert.deepEqual(contents(jupyterLab.clean(html)), contents(html))
  })

  test(`GitHub leaves the words and the table of ${name}`, () => {
    const html = make()
    const clean = gitHub.clean(html)
    assert.equal(words(clean), words(html))
    for (const tag of ['table', 'tr', 'td', 'th', 'details', 'summary']) {
      assert.equal(clean.split(`<${tag}`).length, html.split(`<${tag}`).length, tag)
    }
  })
}

test('the sanitizers do take away what is not allowed', () => {
  assert.equal(
    jupyterLab.clean(
      '<style>b{}</style><b onclick="x()" style="color:#ffffff;position:fixed">a</b><script>x()</script><svg></svg>',
    ),
    '<b style="color:#ffffff">a</b>',
  )
  assert.equal(gitHub.clean('<b style="color:#ffffff">a</b>'), '<b>a</b>')
})
