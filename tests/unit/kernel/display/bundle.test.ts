import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { displaySymbol } from '../../../../lib/host.ts'
import { toBundle, toJson } from '../../../../kernel/display/bundle.ts'

const svg = '<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>'

suite('values show themselves', () => {
  const table: [string, unknown, object][] = [
    ['a number', 42, { 'text/plain': '42' }],
    ['a string, whole', 'x'.repeat(20000), { 'text/plain': `'${'x'.repeat(20000)}'` }],
    ['an object, some levels deep', { a: { b: { c: { d: 1 } } } }, { 'text/plain': '{\n  a: { b: { c: { d: 1 } } }\n}' }],
    ['null', null, { 'text/plain': 'null' }],
    ['its own method', { [displaySymbol]: () => ({ 'text/html': '<i>', 'text/plain': 'i' }) }, { 'text/html': '<i>', 'text/plain': 'i' }],
    ['its own async method', { [displaySymbol]: async () => ({ 'text/plain': 'later' }) }, { 'text/plain': 'later' }],
    ['a function with a method', Object.assign(() => {}, { [displaySymbol]: () => ({ 'text/plain': 'f' }) }), { 'text/plain': 'f' }],
    ['bytes in a bundle', { [displaySymbol]: () => ({ 'image/png': new Uint8Array([1, 2, 3]), 'text/plain': '' }) }, { 'image/png': 'AQID', 'text/plain': '' }],
    ['an element', { outerHTML: '<p>x</p>' }, { 'text/html': '<p>x</p>', 'text/plain': '<p>x</p>' }],
    ['an svg element', { outerHTML: svg }, { 'image/svg+xml': svg, 'text/plain': svg }],
    ['an svg element without a namespace', { outerHTML: '<svg><rect/></svg>' }, { 'image/svg+xml': svg, 'text/plain': '<svg><rect/></svg>' }],
    ['a canvas', { toDataURL: () => 'data:image/png;base64,AAAA', width: 2, height: 1 }, { 'image/png': 'AAAA', 'text/plain': '<canvas 2×1>' }],
    ['the bytes of a JPEG', new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), { 'image/jpeg': '/9j/4A==', 'text/plain': '<image/jpeg, 4 bytes>' }],
    ['other bytes', new Uint8Array([1, 2]), { 'text/plain': 'Uint8Array(2) [ 1, 2 ]' }],
  ]
  for (const [name, value, expected] of table) test(name, async () => assert.deepEqual({ ...await toBundle(value) }, expected))

  test('a Vega-Lite chart by its specification', async () => {
    const spec = { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', mark: 'bar' }
    const bundle = await toBundle({ toSpec: () => spec })
    assert.deepEqual(bundle['application/vnd.vegalite.v5+json'], spec)
  })

  test('text goes beside what has none', async () => {
    const bundle = await toBundle({ a: 1, [displaySymbol]: () => ({ 'text/html': '<i>' }) })
    assert.match(String(bundle['text/plain']), /a: 1/)
  })

  test('a method that returns no bundle is told what to return', () => {
    for (const wrong of ['text', null, 5, ['x']]) {
      assert.throws(() => toBundle({ [displaySymbol]: () => wrong }), { name: 'TypeError', message: /should return a mime bundle/ })
    }
  })

  test('a getter that throws does no harm', async () => {
    const value = { get outerHTML() { throw new Error('no') } }
    assert.match(String((await toBundle(value))['text/plain']), /outerHTML/)
  })

  test('undefined parts of a bundle are left out', () => assert.deepEqual({ ...toJson({ 'text/plain': 'a', 'text/html': undefined }) }, { 'text/plain': 'a' }))
})
