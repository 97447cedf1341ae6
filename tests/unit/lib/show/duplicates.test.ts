import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import sharp from 'sharp'
import { images } from '../../../../lib/data/images.ts'
import { alike, duplicatesBundle } from '../../../../lib/show/duplicates.ts'
import { golden } from '../../../golden.ts'
import { checkPicture } from './pictures.ts'

const folder = mkdtempSync(join(tmpdir(), 'graft-alike-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A picture of some coloured spots, another one for each seed. */
function picture(seed: number) {
  const spots = Array.from(
    { length: 6 },
    (_, i) =>
      `<circle cx="${(seed * 37 + i * 53) % 96}" cy="${(seed * 71 + i * 29) % 96}" r="${8 + ((seed + i) % 4) * 5}" fill="hsl(${(seed * 97 + i * 61) % 360},70%,${30 + ((i * 17 + seed) % 5) * 12}%)"/>`,
  )
  return sharp(
    Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><rect width="96" height="96" fill="#888"/>${spots.join('')}</svg>`,
    ),
  )
}

test('a copy that was resized and compressed anew is found in another part and in another class; others are not', async () => {
  for (const [part, name] of [
    ['train', 'a'],
    ['train', 'b'],
    ['test', 'a'],
    ['test', 'b'],
  ])
    mkdirSync(join(folder, part, name), { recursive: true })
  for (let i = 0; i < 8; i++)
    await picture(i)
      .png()
      .toFile(join(folder, 'train', i % 2 ? 'a' : 'b', `${i}.png`))
  for (let i = 20; i < 24; i++)
    await picture(i)
      .png()
      .toFile(join(folder, 'test', i % 2 ? 'a' : 'b', `${i}.png`))
  await picture(3)
    .resize(70, 70)
    .jpeg({ quality: 60 })
    .toFile(join(folder, 'test', 'a', 'leaked.jpg'))
  await picture(4)
    .resize(120, 120)
    .jpeg({ quality: 70 })
    .toFile(join(folder, 'train', 'a', 'contradicts.jpg'))
  const data = await images(folder, { size: 64 })
  const pairs = await alike(data.parts as never),
    name = ({ part, index }: { part: string; index: number }) =>
      data.parts[part as 'train']!.files[index].split(/[\\/]/).slice(-3).join('/')
  assert.deepEqual(pairs.map(({ a, b }) => [name(a), name(b)].sort()).sort(), [
    ['test/a/leaked.jpg', 'train/a/3.png'],
    ['train/a/contradicts.jpg', 'train/b/4.png'],
  ])
  const bundle = await duplicatesBundle(data, 12)
  golden('show/duplicates.svg', bundle['image/svg+xml'] as string)
  golden('show/duplicates.txt', (bundle['text/plain'] as string).replaceAll(folder, 'photos'))
  assert.match(bundle['text/plain'] as string, /^2 pairs of images that look alike: 1 across parts, .* 1 of two classes/)
  await checkPicture(bundle)
})

test('plain grounds are not called alike', async () => {
  const plain = join(folder, 'plain')
  for (const name of ['x', 'y']) {
    mkdirSync(join(plain, name), { recursive: true })
    await sharp({ create: { width: 32, height: 32, channels: 3, background: name === 'x' ? '#ff0000' : '#0000ff' } })
      .png()
      .toFile(join(plain, name, 'one.png'))
  }
  const bundle = await duplicatesBundle(await images(plain, { size: 32 }), 12)
  assert.match(bundle['text/plain'] as string, /^No two images look alike/)
})
