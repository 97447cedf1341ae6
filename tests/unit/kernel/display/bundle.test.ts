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

  test('parts become what their mime type asks for', () => {
    const bytes = Buffer.from('é'), table: [string, unknown, unknown][] = [
      ['image/png', bytes, 'w6k='], ['image/png', new Uint8Array(bytes).buffer, 'w6k='], ['text/html', bytes, 'é'], ['image/svg+xml', bytes, 'é'], ['application/javascript', bytes, 'é'],
      ['text/html', ['<a>', '</a>'], '<a></a>'], ['text/plain', 5, '5'], ['text/plain', 5n, '5'], ['text/plain', false, 'false'], ['text/plain', null, undefined],
      ['application/json', [1, 'a'], [1, 'a']], ['application/vnd.x+json', { a: 1 }, { a: 1 }],
    ]
    for (const [mime, given, sent] of table) assert.deepEqual(toJson({ [mime]: given })[mime], sent, `${mime} ${String(given)}`)
  })

  test('what cannot be sent is named', () => {
    const cycle: { me?: object } = {}
    cycle.me = cycle
    const table: [object, RegExp][] = [
      [{ 'application/json': { a: 1n } }, /^'application\/json' in a mime bundle should be JSON, and this is not: it holds a BigInt$/],
      [{ 'application/vnd.plotly.v1+json': cycle }, /^'application\/vnd\.plotly\.v1\+json' .* it refers to itself$/],
      [{ 'application/json': () => 1 }, /should be JSON, and this is not: \[Function/], [{ 'application/json': { toJSON() { throw new Error('no') } } }, /is not: no$/],
      [{ 'text/html': { a: 1 } }, /^'text\/html' in a mime bundle should be text or bytes, received \{ a: 1 \}$/], [{ 'text/html': Promise.resolve('') }, /received a Promise: await it first$/],
      [{ 'text/html': Symbol('s') }, /received Symbol\(s\)$/], [{ html: 'x' }, /^'html' is no mime type/], ['text' as unknown as object, /^expected a mime bundle .* received 'text'$/],
    ]
    for (const [bundle, message] of table) assert.throws(() => toJson(bundle as never), { name: 'TypeError', message })
  })

  test('what refuses to be looked at is text', async () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    assert.deepEqual({ ...await toBundle(proxy) }, { 'text/plain': '<Revoked Proxy>' })
    assert.match(String((await toBundle({ get [displaySymbol]() { throw new Error('no') } }))['text/plain']), /Symbol\(Jupyter\.display\)\]?: \[Getter\]/)
    assert.match(String((await toBundle('x'.repeat(2 ** 29 - 24)))['text/plain']), /^a text of 536870888 characters, too long to be shown$/)
  })

  test('undefined parts of a bundle are left out', () => assert.deepEqual({ ...toJson({ 'text/plain': 'a', 'text/html': undefined }) }, { 'text/plain': 'a' }))
})
