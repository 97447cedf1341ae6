import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { displaySymbol, host, installHost, type Comm, type MimeBundle } from '../../../../lib/host.ts'
import { widget, type WidgetOptions } from '../../../../lib/show/widget.ts'

const before = host()
let sent: { method: string, state?: Record<string, unknown> }[]
let shown: { id?: string, bundle: MimeBundle }[]
let receive: (data: unknown) => void

beforeEach(() => {
  sent = []
  shown = []
  const comm: Comm = {
    id: 'c1', send: data => void sent.push(data as never), close: () => {},
    onMessage: listener => { receive = data => listener(data, []) },
  }
  installHost({
    ...before, comm: () => comm,
    display: (bundle, id) => void shown.push({ id, bundle }), update: (id, bundle) => void shown.push({ id, bundle }),
  })
})
afterEach(() => installHost(before))

const fallback = (words: string): MimeBundle => ({ 'text/html': `<b>${words}</b>`, 'text/plain': words })
const made = (more: Partial<WidgetOptions<{ count: number }>> = {}) =>
  widget({ esm: 'export default {}', state: { count: 1 }, fallback: fallback('one'), ...more })
const view = 'application/vnd.jupyter.widget-view+json'

test("a widget's bundle names its model beside the fallback", () => {
  assert.deepEqual(made()[displaySymbol](), { ...fallback('one'), [view]: { version_major: 2, version_minor: 1, model_id: 'c1' } })
})

test('in the place of its fallback: what is displayed and saved is HTML, whose id the browser knows', () => {
  const counter = made({ inPlace: true }), { place } = counter.state as { place?: string }
  counter.show()
  assert.deepEqual(shown[0].bundle, { ...fallback('one'), 'text/html': `<div id="${place}"><b>one</b></div>` })
  counter.refresh(fallback('two'))
  assert.deepEqual(shown[1], { id: shown[0].id, bundle: { ...fallback('two'), 'text/html': `<div id="${place}"><b>two</b></div>` } })
  assert.notEqual((made({ inPlace: true }).state as { place?: string }).place, place, 'each has a place of its own')
})

test('without a front end the fallback is shown as it is, and a refresh shows nothing', () => {
  installHost({ ...host(), comm: () => null })
  const counter = made({ inPlace: true })
  counter.show()
  counter.refresh(fallback('two'))
  assert.deepEqual(shown.map(({ bundle }) => bundle), [fallback('one')])
})

test('a page that was loaded anew asks for the state, and gets all that it needs to show it', () => {
  const counter = made()
  counter.connect()
  receive({ method: 'update', state: { count: 5, _view_count: 1 } })
  receive({ method: 'request_state' })
  const { method, state } = sent[0]
  assert.equal(method, 'update')
  assert.deepEqual([state!.count, state!._model_name, state!._view_module, state!._esm], [5, 'AnyModel', 'anywidget', 'export default {}'])
})
