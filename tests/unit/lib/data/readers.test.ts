import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readPicture } from '../../../../lib/data/picture.ts'
import { readElsewhere } from '../../../../lib/data/readers.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/images/${name}`, import.meta.url))
const names = ['photo-0.jpg', 'progressive.jpg', 'grey.jpg', 'turned.jpg', 'cmyk.jpg', 'rgb.png', 'alpha.png', 'bitmap.bmp', 'animated.gif', 'deep.png']

test('threads give what reading here gives, whatever the format', async () => {
  const many = [...names, ...names, ...names].map(fixture), shape = [20, 24, 3] as [number, number, number]
  const there = await Promise.all(many.map(file => readElsewhere(file, shape)))
  for (const [i, file] of many.entries()) assert.deepEqual({ ...there[i], pixels: new Uint8Array(there[i].pixels) }, await read(file, shape))
})

async function read(file: string, shape: [number, number, number]) {
  const { pixels, content } = await readPicture(file, shape)
  return { pixels: new Uint8Array(pixels), content }
}

for (const [name, file, reason] of [['a missing file', '/nowhere/a.jpg', /^no such file$/], ['no image', fixture('make.py'), /not an image/], ['a folder', fixture('.'), /cannot be read \(EISDIR\)/]] as const) {
  test(`${name} is refused as it is here`, async () => {
    const errors = await Promise.all([readElsewhere, readPicture].map(read => read(file, [8, 8, 3]).then(() => null, (error: Error) => error)))
    for (const error of errors) assert.deepEqual([error?.name, reason.test(error!.message)], ['GraftError', true], error?.message)
    assert.equal(errors[0]!.message, errors[1]!.message)
  })
}

test('threads that have nothing to do keep no process alive', () => {
  const script = `const { readElsewhere } = await import(${JSON.stringify(new URL('../../../../lib/data/readers.ts', import.meta.url).href)})
    console.log((await readElsewhere(${JSON.stringify(fixture('photo-0.jpg'))}, [8, 8, 3])).pixels.length)`
  assert.equal(execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, stdio: 'pipe' }).toString().trim(), '192')
})
