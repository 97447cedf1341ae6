import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Values } from '../../../../kernel/debug/values.ts'

const partsOf = (value: unknown) => {
  const values = new Values()
  return values.parts(values.show('it', value).variablesReference).map(({ name, value, type }) => [name, value, type])
}

test('a value is listed with its parts', () => {
  class Point { x = 1; get far() { return this.x + 1 } }
  const broken = new Proxy({}, { ownKeys() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') }, get() { throw new Error('no') } })
  for (const [value, text, type, parts] of [
    [1, '1', 'number', []], [null, 'null', 'null', []], [undefined, 'undefined', 'undefined', []], ['a\'b', '"a\'b"', 'string', []],
    [[1, 'a'], "[ 1, 'a' ]", 'Array', [['0', '1', 'number'], ['1', "'a'", 'string']]],
    [new Map([['k', 1]]), "Map(1) { 'k' => 1 }", 'Map', [["'k'", '1', 'number']]],
    [new Set([5]), 'Set(1) { 5 }', 'Set', [['0', '5', 'number']]],
    [new Point(), 'Point { x: 1 }', 'Point', [['x', '1', 'number'], ['far', '(…)', 'accessor']]],
    [() => 1, '[Function (anonymous)]', 'function', []],
  ] as const) {
    const shown = new Values().show('it', value)
    assert.deepEqual([shown.value, shown.type], [text, type])
    assert.deepEqual(partsOf(value), parts)
    assert.equal(shown.variablesReference > 0, typeof value === 'object' && value !== null)
  }
  assert.equal(new Values().show('it', broken).name, 'it')
})

test('an accessor is called when it is opened, and may throw', () => {
  let calls = 0
  const values = new Values(), object = { get a() { calls++; throw new RangeError('late') } }
  const [part] = values.parts(values.show('it', object).variablesReference)
  assert.equal(calls, 0)
  const [inner] = values.parts(part.variablesReference)
  assert.deepEqual([inner.type, calls], ['RangeError', 1])
})

test('long lists come in pieces, and numbers are forgotten', () => {
  const values = new Values(), { variablesReference, indexedVariables } = values.show('it', new Array(250).fill(0))
  const pieces = values.parts(variablesReference)
  assert.deepEqual([indexedVariables, pieces.map(({ name }) => name)], [250, ['[0…99]', '[100…199]', '[200…249]']])
  assert.equal(values.parts(pieces[2].variablesReference).length, 50)
  const [piece] = values.parts(values.show('it', new Float32Array(1e6)).variablesReference)
  assert.deepEqual([piece.name, values.parts(piece.variablesReference).at(-1)!.name], ['[0…9999]', '[9900…9999]'])
  values.forget()
  assert.deepEqual(values.parts(variablesReference), [])
})
