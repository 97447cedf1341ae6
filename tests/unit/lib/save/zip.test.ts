import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { readZip, writeZip as zipParts, type Members } from '../../../../lib/save/zip.ts'

const writeZip = (members: Members) => new Uint8Array(Buffer.concat(zipParts(members)))
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const members = new Map([
  ['metadata.json', bytes('{}')],
  ['größe/ß.txt', bytes('x'.repeat(1000))],
  ['empty', new Uint8Array()],
])

test('members packed are read again, in their order', () => {
  assert.deepEqual([...readZip(writeZip(members))], [...members])
})

const python = spawnSync('python3', ['--version']).status === 0
test('Python reads our archive, and we read its compressed one', { skip: !python && 'there is no python3' }, () => {
  const script = `
import io, sys, zipfile
archive = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
assert archive.testzip() is None
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as again:
    for info in archive.infolist():
        assert info.compress_type == zipfile.ZIP_STORED
        again.writestr(info.filename, archive.read(info))
sys.stdout.buffer.write(out.getvalue())`
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], { input: writeZip(members) })
  assert.equal(status, 0, stderr.toString())
  assert.deepEqual([...readZip(new Uint8Array(stdout))], [...members])
})

const damaged: Record<string, (archive: Buffer) => Uint8Array> = {
  nothing: () => new Uint8Array(),
  text: () => bytes('not an archive'),
  'one cut short': archive => archive.subarray(0, archive.length - 30),
  'a changed byte': archive => {
    archive[archive.indexOf('xxx')] ^= 1
    return archive
  },
  'a member larger than the archive': archive => {
    archive.writeUInt32LE(2 ** 31, archive.indexOf('PK\x01\x02') + 24)
    return archive
  },
  'a member outside': archive => {
    archive.writeUInt32LE(2 ** 31, archive.indexOf('PK\x01\x02') + 42)
    return archive
  },
  'an encrypted member': archive => {
    archive[archive.indexOf('PK\x01\x02') + 8] |= 1
    return archive
  },
}
for (const [what, make] of Object.entries(damaged)) {
  test(`${what} is refused`, () => assert.throws(() => readZip(make(Buffer.from(writeZip(members)))), { name: 'GraftError' }))
}
