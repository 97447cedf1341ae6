import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { makeDeno } from '../../../../kernel/display/deno.ts'
import { toBundle } from '../../../../kernel/display/bundle.ts'
import type { Output } from '../../../../kernel/cell/output.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-deno-'))
after(() => rmSync(folder, { recursive: true }))

const sent: unknown[] = []
const Deno = makeDeno({ publish: (type: string, content: object, extra: object) => sent.push([type, structuredClone(content), extra]) } as unknown as Output)
const { md, html, svg, image, display, format, broadcast, $display } = Deno.jupyter
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47])

suite('what Deno\'s kernel shows', () => {
  const x = '<x>', table: [string, unknown, object][] = [
    ['Markdown', md`# ${1 + 1}\n`, { 'text/markdown': '# 2\n', 'text/plain': '# 2\n' }],
    ['HTML', html`<b>${x}</b>`, { 'text/html': '<b><x></b>', 'text/plain': '<b><x></b>' }],
    ['SVG', svg`<svg/>`, { 'image/svg+xml': '<svg/>', 'text/plain': '<svg/>' }],
    ['an image', image(png), { 'image/png': 'iVBORw==', 'text/plain': '<image/png, 4 bytes>' }],
    ['its symbol', { [$display]: () => ({ 'text/plain': 'own' }) }, { 'text/plain': 'own' }],
  ]
  for (const [name, value, bundle] of table) test(name, async () => assert.deepEqual({ ...await toBundle(value) }, bundle))

  test('an image file', async () => {
    writeFileSync(join(folder, 'a.png'), png)
    assert.equal((await toBundle(image(join(folder, 'a.png'))))['image/png'], 'iVBORw==')
    assert.throws(() => image(new Uint8Array([1, 2])), /expected the path or the bytes of a PNG, JPEG or GIF image/)
  })

  test('display', async () => {
    const shown: [unknown, object?, object?][] = [
      [5, undefined, { data: { 'text/plain': '5' }, metadata: {}, transient: {} }],
      [{ 'text/html': 'h' }, { raw: true }, { data: { 'text/html': 'h' }, metadata: {}, transient: {} }],
      [{ 'text/html': 'h' }, undefined, { data: { 'text/plain': "{ 'text/html': 'h' }" }, metadata: {}, transient: {} }],
      [md`m`, { display_id: 'a' }, { data: { 'text/markdown': 'm', 'text/plain': 'm' }, metadata: {}, transient: { display_id: 'a' } }],
    ]
    for (const [value, options, content] of shown) {
      await display(value, options)
      assert.deepEqual(sent.pop(), ['display_data', content, undefined])
    }
    await display('new', { display_id: 'a', update: true })
    assert.deepEqual((sent.pop() as unknown[]).slice(0, 2), ['update_display_data', { data: { 'text/plain': "'new'" }, metadata: {}, transient: { display_id: 'a' } }])
    await assert.rejects(display('new', { update: true }), /expects the `display_id`/)
    await assert.rejects(display({ [$display]: () => 5 }), /should return a mime bundle/)
    assert.deepEqual(await format(html`f`), { 'text/html': 'f', 'text/plain': 'f' })
  })

  test('broadcast', async () => {
    const buffers = [new Uint8Array([1])]
    await broadcast('comm_open', { comm_id: 'c', target_name: 't', data: {} }, { metadata: { v: 1 }, buffers })
    assert.deepEqual(sent.pop(), ['comm_open', { comm_id: 'c', target_name: 't', data: {} }, { metadata: { v: 1 }, buffers, comm: { id: 'c', target: 't' } }])
    await broadcast('stream', { name: 'stdout', text: 'x' })
    assert.deepEqual((sent.pop() as unknown[]).slice(0, 2), ['stream', { name: 'stdout', text: 'x' }])
  })
})

test('what Deno has beside it says what to use', () => {
  const table: [string, RegExp][] = [
    ['readTextFile', /there is no Deno\.readTextFile: .* Use `readFile\(path, "utf8"\)` of node:fs\/promises instead\./], ['env', /`process\.env`/], ['statSync', /`statSync` of node:fs /],
    ['jupiter', /Did you mean 'jupyter'\?/], ['dlopen', /Use the modules of Node instead/],
  ]
  for (const [name, message] of table) assert.throws(() => Deno[name], { name: 'GraftError', message })
  assert.match(JSON.stringify(Deno), /jupyter/)
})
