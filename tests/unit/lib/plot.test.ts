import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { displaySymbol, type MimeBundle } from '../../../lib/host.ts'
import { Plot as later } from '../../../lib/plot-later.ts'
import { Plot } from '../../../lib/plot.ts'
import { golden } from '../../golden.ts'
import { checkPicture } from './show/pictures.ts'

const shown = (element: object) => (element as Record<symbol, () => MimeBundle>)[displaySymbol]()

for (const [name, make] of Object.entries({
  line: () => Plot.plot({ ariaLabel: 'Loss per epoch', marks: [Plot.lineY([0.9, 0.4, 0.2, 0.1]), Plot.ruleY([0])] }),
  mark: () =>
    Plot.dot([
      [1, 2],
      [3, 4],
    ]).plot({ grid: true }),
  marks: () => Plot.marks(Plot.lineY([1, 2, 3]), Plot.frame()).plot({ height: 120 }),
  titled: () =>
    Plot.plot({
      title: 'Accuracy & more',
      subtitle: 'by class',
      caption: 'Twenty images each.',
      color: { legend: true },
      marks: [
        Plot.barY(
          ['zero', 'one', 'two'].map((name, i) => ({ name, n: 3 + i })),
          { x: 'name', y: 'n', fill: 'name' },
        ),
      ],
    }),
  ramp: () =>
    Plot.plot({
      color: { legend: true, scheme: 'viridis', label: 'loss' },
      marks: [
        Plot.dot(
          [
            [0, 0, 1],
            [1, 1, 2],
            [2, 0, 3],
          ],
          { fill: '2' },
        ),
      ],
    }),
  raster: () =>
    Plot.plot({
      height: 80,
      width: 80,
      axis: null,
      margin: 0,
      marks: [Plot.raster({ x1: 0, x2: 1, y1: 0, y2: 1, fill: (x: number, y: number) => x + y })],
    }),
  symbols: () =>
    Plot.plot({
      symbol: { legend: true },
      marks: [
        Plot.dot(
          [
            [1, 2, 'x'],
            [2, 3, 'y'],
          ],
          { symbol: '2' },
        ),
      ],
    }),
  legend: () => Plot.legend({ color: { type: 'ordinal', domain: ['a', 'b', 'c'] } }),
})) {
  test(`a plot shows as a figure: ${name}`, async () => {
    const bundle = shown(make())
    assert.deepEqual(Object.keys(bundle), ['image/svg+xml', 'image/png', 'text/plain'])
    golden(`show/plot-${name}.svg`, bundle['image/svg+xml'] as string)
    if (name !== 'raster') await checkPicture(bundle)
  })
}

test('in a terminal a plot says what it holds', () => {
  assert.equal(inspect(Plot.plot({ ariaLabel: 'Loss', marks: [Plot.lineY([1, 2])] })), 'Loss (line)')
  assert.equal(inspect(Plot.plot({ title: 'T', caption: 'C', marks: [Plot.dot([[1, 2]])] })), 'Plot: T: C (dot)')
})

test("a document of the user's own is used", () => {
  const made: string[] = []
  const own = new Proxy(Plot.plot().ownerDocument, {
    get: (target, key) => {
      made.push(String(key))
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  Plot.plot({ document: own })
  assert.ok(made.includes('documentElement'))
})

test('nothing of a browser is put on globalThis', () => {
  assert.equal((globalThis as { window?: unknown }).window, undefined)
  assert.equal((globalThis as { document?: unknown }).document, undefined)
})

test('the library\'s own Plot is the same, loaded when it is looked into', () => {
  assert.deepEqual(Object.keys(later), Object.keys(Plot))
  assert.ok('dot' in later)
  assert.equal(later.dot, Plot.dot)
  assert.equal(later.plot({}).tagName, Plot.plot({}).tagName)
})
