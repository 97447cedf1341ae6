import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkHdf5, Hdf5Error, packHdf5, unpackHdf5 } from '../../../../../lib/save/hdf5/index.ts'
import { shared } from '../../../../../lib/save/numbers.ts'
import { find, group, place, type DType, type Group } from '../../../../../lib/save/hdf5/tree.ts'

const bytes = (numbers: { buffer: ArrayBuffer }) => new Uint8Array(numbers.buffer)
const packed = async (root: Group) => new Uint8Array(Buffer.concat(await packHdf5(root)))
const dataset = (dtype: DType, numbers: { buffer: ArrayBuffer; length: number }) => ({
  dtype,
  shape: [numbers.length],
  data: bytes(numbers),
})

describe('a tree packed as HDF5 and read again', () => {
  const root = group()
  root.attributes.set('text', 'a text').set('long', 'x'.repeat(200_000)).set('umlauts', 'größe ß 日本')
  root.attributes.set('names', ['a', 'a/b', 'ä']).set('none', []).set('number', 2.5).set('numbers', [1, 2, 3])
  place(root, 'deep/er/float', dataset('float32', new Float32Array([1, -0, NaN, Infinity, 1e-42])))
  place(root, 'deep/er/double', dataset('float64', new Float64Array([Math.PI])))
  place(root, 'scalar', { dtype: 'int64', shape: [], data: bytes(new BigInt64Array([-(2n ** 40n)])) })
  place(root, 'matrix', { dtype: 'int32', shape: [2, 2], data: bytes(new Int32Array([1, -2, 3, -4])) })
  place(root, 'bytes', dataset('uint8', new Uint8Array([0, 255])))
  place(root, 'nothing', dataset('float32', new Float32Array(0)))
  place(root, 'constructor/toString', dataset('float32', new Float32Array([7])))
  let read: Group

  test('keeps every attribute', async () => {
    read = await unpackHdf5(await packed(root))
    assert.deepEqual(read.attributes, new Map([...root.attributes].sort(([a], [b]) => (a < b ? -1 : 1))))
  })
  for (const path of ['deep/er/float', 'deep/er/double', 'scalar', 'matrix', 'bytes', 'nothing', 'constructor/toString']) {
    test(`keeps ${path} byte for byte`, () => assert.deepEqual(find(read, path), find(root, path)))
  }
  test('is checked to the last bit, with the first difference named', async () => {
    const parts = await packHdf5(root), { data } = find(root, 'matrix')!
    assert.equal(await checkHdf5(parts, root), undefined)
    data![0] ^= 1
    assert.equal(await checkHdf5(parts, root), 'the tensor /matrix')
    data![0] ^= 1
    find(root, 'matrix')!.shape = [4]
    assert.equal(await checkHdf5(parts, root), 'the tensor /matrix')
    find(root, 'matrix')!.shape = [2, 2]
  })
  test('can be read without the numbers', async () => {
    const outline = await unpackHdf5(await packed(root), { outline: true })
    assert.deepEqual(find(outline, 'matrix'), { dtype: 'int32', shape: [2, 2] })
  })
})

test('what is no HDF5 file is an error, and the next file is read all the same', async () => {
  await assert.rejects(unpackHdf5(new Uint8Array(1000)), Hdf5Error)
  const root = group()
  root.attributes.set('a', 'b')
  const file = await packed(root)
  await assert.rejects(unpackHdf5(file.slice(0, file.length - 100)), Hdf5Error)
  assert.equal((await unpackHdf5(file)).attributes.get('a'), 'b')
})

test('requests made at once are all answered; an interrupted one alone fails', async () => {
  const root = group()
  place(root, 'x', dataset('float32', new Float32Array(1 << 20)))
  const stop = new AbortController()
  const interrupted = packHdf5(root, stop.signal)
  const others = Promise.all([packHdf5(root), packHdf5(root)])
  stop.abort()
  await assert.rejects(interrupted, { name: 'AbortError' })
  for (const parts of await others) assert.equal(find(await unpackHdf5(new Uint8Array(Buffer.concat(parts))), 'x')?.data?.length, 4 << 20)
})

test('a tensor that claims more than the file can hold is refused, not allocated', async () => {
  const root = group()
  place(root, 'x', dataset('float32', new Float32Array(16)))
  const file = await packed(root)
  // The dataset's one dimension, 16, stands in its dataspace message: make it 2^40.
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const at = [...file.keys()].find(
    i => i % 8 === 0 && i + 16 <= file.length && view.getBigUint64(i, true) === 16n && view.getBigUint64(i + 8, true) === 16n,
  )
  assert.ok(at !== undefined, 'the dataspace was not found')
  view.setBigUint64(at, 2n ** 40n, true)
  view.setBigUint64(at + 8, 2n ** 40n, true)
  await assert.rejects(unpackHdf5(file), Hdf5Error)
})

test('large tensors in shared memory become parts of the file where they lie, and are read from there', async () => {
  const root = group()
  const numbers = (length: number, from: number) => {
    const values = new Float32Array(shared(4 * length))
    values.forEach((_, i) => values[i] = from + i)
    return values
  }
  for (const [name, from] of [['a', 0], ['b/c', 0.5], ['b/d', 1e6]] as const) place(root, name, dataset('float32', numbers(1 << 18, from)))
  place(root, 'small', dataset('float32', numbers(3, 7)))
  root.attributes.set('last', 'x'.repeat(100_000))
  const parts = await packHdf5(root), [one, two, three] = parts.filter(({ byteLength }) => byteLength === 1 << 20)
  assert.ok(one && two && three)
  assert.equal(await checkHdf5(parts, root), undefined)
  const read = await unpackHdf5(new Uint8Array(Buffer.concat(parts)))
  for (const path of ['a', 'b/c', 'b/d', 'small']) assert.deepEqual(find(read, path)!.data, new Uint8Array(find(root, path)!.data!))
  assert.equal(await checkHdf5(parts.map(part => part === one ? two : part === two ? one : part), root), 'the tensor /a')
  find(root, 'b/d')!.data!.fill(1)
  assert.ok(parts.some(part => part.byteLength === 1 << 20 && part.every(byte => byte === 1)), 'it was copied')
})
