import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as colour from '../../lib/data/augment/colour.ts'
import * as geometry from '../../lib/data/augment/geometry.ts'
import type { Picture } from '../../lib/data/augment/picture.ts'

const read = (name: string) => readFileSync(new URL(`../fixtures/augment/${name}`, import.meta.url))
const { height, width, cases, 'cut mix weight': weight } = JSON.parse(read('expected.json').toString()) as {
  height: number, width: number, cases: Record<string, number[]>, 'cut mix weight': number
}
const numbers = new Float32Array(Uint8Array.from(read('expected.bin')).buffer), each = height * width * 3
const image: Picture = { values: numbers.subarray(0, each), height, width, channels: 3 }
const turned: Picture = { ...image, values: Float32Array.from({ length: each }, (_, i) => image.values[each - 3 - (i - i % 3) + i % 3]) }

type Move = (parameters: number[]) => geometry.Affine
const moves: Record<string, Move> = {
  rotate: ([turn]) => geometry.rotation(turn, height, width),
  translate: ([down, right]) => geometry.translation(down * height, right * width),
  zoom: ([vertical, horizontal]) => geometry.zoom(1 + vertical, 1 + horizontal, height, width),
  shear: ([x, y]) => geometry.shear(x, y),
  'flip x': () => geometry.flipX(width),
  'flip y': () => geometry.flipY(height),
  crop: ([part, top, left]) => geometry.crop(part, top, left),
}
const box = ([left, right, top, bottom]: number[]) => ({ left, right, top, bottom })
const colours: Record<string, (parameters: number[]) => Picture> = {
  brightness: ([delta]) => colour.brightness(image, delta),
  contrast: ([factor]) => colour.contrast(image, factor),
  hue: ([turn]) => colour.hue(image, turn),
  saturation: ([factor]) => colour.saturation(image, factor),
  fade: ([factor]) => colour.fade(image, factor),
  sharpness: ([factor]) => colour.sharpness(image, factor),
  solarize: ([addition, threshold]) => colour.solarize(image, addition, threshold),
  posterize: ([bits]) => colour.posterize(image, bits),
  'auto contrast': () => colour.autoContrast(image),
  equalize: () => colour.equalize(image),
  erase: parameters => colour.erase(image, box(parameters)),
  'mix up': ([part]) => colour.blend(image, turned, part),
  'cut mix': parameters => colour.patch(image, turned, box(parameters)),
}

for (const [n, [name, parameters]] of Object.entries(cases).entries()) {
  test(`${name} changes an image as Keras does`, () => {
    const kind = name.replace(/ -?[\d.]+.*$/, ''), fill = (/reflect|nearest|constant/.exec(name)?.[0] ?? 'reflect') as geometry.Fill
    const move = moves[kind]?.(parameters)
    const { values } = move ? geometry.transform(image, move, kind === 'crop' ? 'nearest' : fill) : colours[kind](parameters)
    const expected = numbers.subarray((n + 1) * each, (n + 2) * each)
    // A window that is cut out ends at its own edge, where ours still sees the image around it.
    const inner = (i: number) => kind !== 'crop' || ![0, height - 1].includes(Math.floor(i / width / 3)) && ![0, width - 1].includes(Math.floor(i / 3) % width)
    const worst = values.reduce((most, value, i) => inner(i) ? Math.max(most, Math.abs(value - expected[i])) : most, 0)
    assert.ok(worst < 2e-5, `differs by ${worst}`)
  })
}

test('a rectangle takes as much of the label as of the image', () => {
  const [left, right, top, bottom] = cases['cut mix']
  assert.ok(Math.abs(1 - (right - left) * (bottom - top) / (height * width) - weight) < 1e-6)
})

test('several moves in one go are the moves one after the other', () => {
  const one = geometry.flipX(width), other = geometry.translation(3, -2)
  const both = geometry.transform(geometry.transform(image, one, 'reflect'), other, 'constant').values
  const once = geometry.transform(image, geometry.then(one, other), 'constant').values
  assert.ok(both.every((value, i) => Math.abs(value - once[i]) < 1e-6))
})
