import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { host, installHost, type Host, type MimeBundle } from '../../../../lib/host.ts'
import { progress, progressBar, progressView } from '../../../../lib/show/progress.ts'
import { RunBars } from '../../../../lib/train/run-bars.ts'
import { Run } from '../../../../lib/train/run.ts'
import { golden } from '../../../golden.ts'

const before = host()
let shown: { id?: string; updates: string[] }[]
let now = 0
let cell = new AbortController()

const recorder: Host = {
  ...before,
  display: (bundle, id) => {
    shown.push({ id, updates: [bundle['text/plain'] as string] })
  },
  update: (id, bundle) => {
    shown.find(one => one.id === id)!.updates.push(bundle['text/plain'] as string)
  },
  get signal() {
    return cell.signal
  },
}

beforeEach(() => {
  shown = []
  cell = new AbortController()
  mock.method(performance, 'now', () => now)
  installHost(recorder)
})
afterEach(() => {
  mock.restoreAll()
  installHost(before)
})

const last = () => shown.map(one => one.updates.at(-1))

test('a bar grows in place and ends with the total and the time', () => {
  const bar = progressBar({ label: 'Decoding', total: 200 })
  for (let i = 0; i < 40; i++) {
    now += 20
    bar.tick()
  }
  assert.equal(shown.length, 1)
  assert.equal(last()[0], 'Decoding 34/200 [==>                 ] 3.3 s left')
  for (let i = 0; i < 160; i++) {
    now += 20
    bar.tick()
  }
  bar.done()
  assert.deepEqual(last(), ['Decoding 200/200 [====================] in 4.0 s'])
})

test('at most four updates a second', () => {
  const bar = progressBar({ total: 10_000 })
  for (let i = 0; i < 10_000; i++) {
    now += 1
    bar.tick()
  }
  bar.done()
  assert.ok(shown[0].updates.length <= 42, `${shown[0].updates.length} updates in 10 s`)
})

test('what is done at once shows nothing', () => {
  for (const _ of progress([1, 2, 3])) now += 10
  assert.deepEqual(shown, [])
})

test('a loop inside a loop shares its display and goes when it is done', () => {
  for (const _ of progress([1, 2], { label: 'Epochs' }))
    for (const _ of progress(new Set([1, 2]), { label: 'Batches' })) now += 300
  assert.equal(shown.length, 1)
  assert.ok(
    shown[0].updates.includes('Epochs    0/2 [                    ]\n  Batches 1/2 [=========>          ] 0.3 s left'),
    shown[0].updates.join('\n'),
  )
  assert.deepEqual(last(), ['Epochs 2/2 [====================] in 1.2 s'])
})

test('a generator only counts; an asynchronous one works alike', async () => {
  const numbers = function* () {
      yield* [1, 2, 3]
    },
    got: number[] = []
  for await (const n of progress(
    (async function* () {
      yield* numbers()
    })(),
    { label: 'Pages' },
  )) {
    got.push(n)
    now += 400
  }
  for (const n of progress(numbers())) {
    got.push(n)
    now += 400
  }
  assert.deepEqual(got, [1, 2, 3, 1, 2, 3])
  assert.deepEqual(last(), ['Pages 3 in 1.2 s', 'Progress 3 in 1.2 s'])
})

test('leaving the loop, by break or by an error, stops the bar', () => {
  for (const n of progress([1, 2, 3, 4], { label: 'A' })) {
    now += 400
    if (n === 3) break
  }
  assert.throws(() => {
    for (const _ of progress([1, 2], { label: 'B' })) {
      now += 400
      throw new Error('no')
    }
  }, /^Error: no$/)
  assert.equal(last()[0], 'A 2/4 [=========>          ] stopped after 1.2 s')
})

test('a bar nobody ended does not capture the bars of the next cell', () => {
  const lost = progressBar({ label: 'Lost', total: 2 })
  now += 400
  lost.tick()
  cell = new AbortController()
  const bar = progressBar({ label: 'Next', total: 2 })
  now += 400
  bar.tick(2)
  bar.done('all well')
  assert.deepEqual(last(), ['Lost 1/2 [=========>          ] 0.4 s left', 'Next 2/2 [====================] in 0.4 s, all well'])
})

test('bytes are told in megabytes, and a note tells what goes on', () => {
  const bar = progressBar({ label: 'Downloading', bytes: true })
  bar.total(9.5e6)
  bar.text('mobilenet_v2')
  now += 1000
  bar.tick(4.75e6)
  assert.deepEqual(last(), ['Downloading 4.8 MB/9.5 MB [=========>          ] 1.0 s left, mobilenet_v2'])
  bar.stop('no answer')
})

test('a run within other work is bars within its bar: epochs, and steps of the one under way', () => {
  const start = { epochs: 2, batch: 8, seed: 1, optimizer: 'sgd', learningRate: 0.1, loss: 'categoricalCrossentropy', engine: '' }
  const run = new Run('1', { ...start, images: { train: 20, validation: 0 }, weights: { trainable: 1, total: 1 }, title: 'batch 8' })
  const trials = progressBar({ label: 'Trials', total: 2 }), bars = new RunBars(run)
  const step = () => {
    now += 300
    run.batchLosses.push(1)
    bars.step()
  }
  for (let i = 0; i < 3; i++) step()
  run.history.loss.push(1)
  run.batchLosses = []
  bars.epoch()
  step()
  assert.deepEqual(last()[0]!.split('\n'), [
    'Trials             0/2 [                    ]',
    '  batch 8          1/2 [=========>          ] 0.9 s left',
    '    Epoch 2, steps 1/3 [======>             ] 0.0 s left',
  ])
  run.history.loss.push(1)
  bars.epoch()
  bars.end()
  trials.tick()
  now += 300
  trials.done()
  assert.deepEqual(last(), ['Trials 1/2 [=========>          ] in 1.5 s'], 'inner bars are gone')
})

test('in a notebook bars are progress elements', () => {
  const bar = { label: 'Decoding <all>', total: 200, done: 40, seconds: 1, state: 'running', depth: 0 } as const
  const nested: MimeBundle = progressView(bar, { ...bar, label: 'Bytes', total: undefined, bytes: true, depth: 1 })
  golden('show/progress.html', progressView(bar)['text/html'] as string)
  golden('show/progress-nested.html', nested['text/html'] as string)
  golden('show/progress-nested.txt', nested['text/plain'] as string)
})

test('what cannot be gone through is refused in one sentence', () => {
  for (const [items, said] of [[5, '5'], [undefined, 'undefined'], [{}, '{}']] as const) {
    assert.throws(() => progress(items as never), { name: 'GraftError', message: new RegExp(`expected something to go through, e\\.g\\. progress\\(files\\); received ${said}`) })
  }
})
