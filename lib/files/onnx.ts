import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import type { Dataset, DType } from '../save/hdf5/tree.ts'
import type { Contents, FileLayer } from './contents.ts'

/** ONNX's element types (`TensorProto.DataType`) that HDF5 has too. */
const types: { [code: number]: DType } =
  { 1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 9: 'bool', 10: 'float16',
    11: 'float64', 12: 'uint32', 13: 'uint64' }

/** Looks into an `.onnx` file: each node is a layer, the constants it takes are its weights. */
export function readOnnx(bytes: Uint8Array<ArrayBuffer>, outline: boolean): Omit<Contents,
  'path' | 'format' | 'bytes' | 'sha256'> {
  const more: [string, string][] = [], constants = new Map<string, Dataset>(), ends: string[] = []
  const nodes: { name: string; op: string; inputs: string[] }[] = []
  let producer = '', version = '', opset = ''
  fields(bytes, {
    2: value => { producer = text(value) },
    3: value => { version = text(value) },
    7: graph => fields(graph, {
      1: node => {
        const found = { name: '', op: '', inputs: [] as string[] }
        fields(node, { 1: value => found.inputs.push(text(value)), 3: value => { found.name = text(value) }, 4: value =>
          { found.op = text(value) } })
        nodes.push(found)
      },
      5: tensor => constants.set(...readTensor(tensor, outline)),
      11: value => fields(value, { 1: name => ends.push(`in ${text(name)}`) }),
      12: value => fields(value, { 1: name => ends.push(`out ${text(name)}`) }),
    }),
    8: value => fields(value, {}, { 2: number => { opset = String(number) } }),
    14: value => {
      const pair = ['', '']
      fields(value, { 1: key => { pair[0] = text(key) }, 2: each => { pair[1] = text(each) } })
      more.push(pair as [string, string])
    },
  })
  if (!nodes.length) throw new Error('it is no ONNX model: it has no nodes')
  const layers: FileLayer[] = nodes.map(({ name, op, inputs }, i) => ({
    name: name || `${op}_${i}`, kind: op, frozen: false,
    weights: inputs.flatMap(input => constants.has(input) ? [{ ...constants.get(input)!, name: input, path: input }] : []),
  }))
  return {
    writer: [producer, version].filter(Boolean).join(' ') || 'not told', model: `ONNX, opset ${opset || 'not told'}`, layers,
    stored: [], training: null, note: undefined, more: [['Ends',
      ends.filter(end => !constants.has(end.replace(/^in /, ''))).join(', ')], ...more],
  }
}

function readTensor(bytes: Uint8Array<ArrayBuffer>, outline: boolean): [name: string, dataset: Dataset] {
  let name = '', type = 1, raw: Uint8Array<ArrayBuffer> | undefined
  const shape: number[] = []
  fields(bytes, { 8: value => { name = text(value) }, 9: value => { raw = value } }, {
    1: number => shape.push(number), 2: number => { type = number },
  })
  return [name, { shape, dtype: types[type] ?? 'float32', ...!outline && raw && { data: raw.slice() } }]
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** Calls what is given for each field of a message: bytes by their field's number, or numbers. Others are passed by. */
function fields(
  bytes: Uint8Array<ArrayBuffer>, messages: { [field: number]: (value: Uint8Array<ArrayBuffer>) => void },
  numbers: { [field: number]: (value: number) => void } = {},
): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (wire === WireType.LengthDelimited) {
      const value = reader.bytes() as Uint8Array<ArrayBuffer>
      if (numbers[field]) {
        const packed = new BinaryReader(value)
        while (packed.pos < packed.len) numbers[field](Number(packed.int64()))
      } else messages[field]?.(value)
    } else if (wire === WireType.Varint && numbers[field]) numbers[field](Number(reader.int64()))
    else reader.skip(wire, field)
  }
}
