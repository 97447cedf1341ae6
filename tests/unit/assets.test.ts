import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')
const images = join(root, 'notebooks', 'images')
const models = join(root, 'notebooks', 'models')

type FontSet = 'letters' | 'digits-train' | 'digits-test'
interface Manifest {
  fonts: Record<FontSet, { package: string, licence: string, files: string[] }[]>
  images: Record<string, string>
}
const manifest: Manifest = JSON.parse(readFileSync(join(images, 'manifest.json'), 'utf8'))

const filesUnder = (folder: string) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
const bytesOf = (files: string[]) => files.reduce((sum, file) => sum + statSync(file).size, 0)
const packagesOf = (set: FontSet) => new Set(manifest.fonts[set].map(font => font.package))

/** Width and height from a PNG's header chunk, after its signature is checked. */
function pngSize(file: string): [number, number] {
  const bytes = readFileSync(file)
  assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n', file)
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

const digits = '0123456789'.split('')
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')
const textures = ['bricks', 'checker', 'dots', 'marble', 'rings', 'speckles', 'stripes', 'wood']

describe('bundled images', () => {
  for (const [folder, classes, each] of [
    ['letters', letters, 12], ['digits/train', digits, 20], ['digits/test', digits, 20],
    ['textures/train', textures, 20], ['textures/test', textures, 20],
  ] as const) {
    test(`${folder}: ${classes.length} classes of ${each} small square PNGs`, () => {
      assert.deepEqual(readdirSync(join(images, folder)).sort(), classes)
      for (const name of classes) {
        const files = readdirSync(join(images, folder, name))
        assert.equal(files.length, each, name)
        for (const file of files) {
          const [width, height] = pngSize(join(images, folder, name, file))
          assert.ok(width === height && width >= 64 && width <= 96, `${folder}/${name}/${file} is ${width}×${height}`)
        }
      }
    })
  }

  test('the photos to classify are PNGs of 256×256', () => {
    for (const name of ['photo-of-a-four.png', 'photo-of-a-seven.png']) assert.deepEqual(pngSize(join(images, name)), [256, 256])
  })

  test('no picture occurs twice, in train and test least of all', () => {
    const seen = new Map<string, string>()
    for (const file of filesUnder(images)) {
      const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
      assert.equal(seen.get(hash), undefined, `${file} repeats ${seen.get(hash)}`)
      seen.set(hash, file)
    }
  })

  test('all together weigh at most 6 MB', () => assert.ok(bytesOf(filesUnder(images)) <= 6e6))
})

describe('typefaces', () => {
  test('the trunk saw none of the digits\' typefaces, and the test digits share none with the training digits', () => {
    const sets = [packagesOf('letters'), packagesOf('digits-train'), packagesOf('digits-test')]
    for (const [i, first] of sets.entries()) {
      for (const second of sets.slice(i + 1)) assert.deepEqual([...first].filter(name => second.has(name)), [])
    }
  })

  test('the manifest says of every letter and digit which font of its set drew it', () => {
    const drawn = ['letters', 'digits'].flatMap(folder => filesUnder(join(images, folder)))
      .map(file => file.slice(images.length + 1).replaceAll('\\', '/'))
    assert.deepEqual(Object.keys(manifest.images).sort(), drawn.sort())
    for (const [image, font] of Object.entries(manifest.images)) {
      const set = image.startsWith('letters/') ? 'letters' : image.startsWith('digits/train/') ? 'digits-train' : 'digits-test'
      const fonts = manifest.fonts[set].flatMap(({ package: name, files }) => files.map(file => `${name}/${file}`))
      assert.ok(fonts.includes(font), `${image} is drawn with ${font}, which is no font of ${set}`)
    }
  })

  test('assets/README.md names every font package with its licence', () => {
    const readme = readFileSync(join(root, 'assets', 'README.md'), 'utf8')
    for (const { package: name, licence } of Object.values(manifest.fonts).flat()) {
      assert.ok(readme.includes(`| ${name} | ${licence} |`), `${name} (${licence}) is missing`)
    }
  })
})

describe('bundled trunks', () => {
  for (const name of readdirSync(models)) {
    const folder = join(models, name)
    test(`${name} is a SavedModel of at most 3 MB with its letters head`, () => {
      const parts = ['saved_model.pb', 'variables/variables.index', 'variables/variables.data-00000-of-00001'].map(part => join(folder, part))
      for (const part of [...parts, join(folder, 'assets.extra', 'letters_head.h5'), join(folder, 'README.md'), join(folder, 'LICENSE')]) {
        assert.ok(existsSync(part), `${part} is missing`)
      }
      assert.ok(bytesOf(parts) <= 3e6, `${bytesOf(parts)} bytes`)
      assert.equal(readFileSync(join(folder, 'assets.extra', 'letters_head.h5')).subarray(0, 4).toString('latin1'), '\x89HDF')
    })
  }

  test('the MobileNetV2 of the first notebook is there', () => {
    assert.ok(existsSync(join(models, 'mobilenet_v2_letters_feature_vector', 'saved_model.pb')))
  })
})
