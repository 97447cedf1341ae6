import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { randomFrom } from '../../lib/data/random.ts'

/** Writes JPEGs like photographs, gradients with edges and some noise, in two class folders. */
export async function photos(folder: string, count: number, [width, height] = [640, 480]): Promise<void> {
  for (const name of ['cats', 'dogs']) await mkdir(join(folder, name), { recursive: true })
  // A few scenes are enough: each file is another crop of one, so that no two are the same.
  const scenes = await Promise.all(Array.from({ length: 8 }, (_, i) => scene(i, width + 64, height + 64)))
  for (let i = 0; i < count; i++) {
    const { data, info } = scenes[i % 8]
    const bytes = await sharp(data, { raw: info }).extract({ left: i % 61, top: (i * 7) % 59, width, height })
      .jpeg({ quality: 75 + i % 20 }).toBuffer()
    await writeFile(join(folder, i % 2 ? 'cats' : 'dogs', `${i}.jpg`), bytes)
  }
}

async function scene(seed: number, width: number, height: number) {
  const random = randomFrom('scene', seed), data = Buffer.alloc(width * height * 3)
  const [a, b, c] = [random() * 9, random() * 9, random() * 9]
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 3) {
      const u = x / width, v = y / height, edge = (u - 0.5) ** 2 + (v - 0.4) ** 2 < 0.06 ? 60 : 0, grain = random() * 16
      data[i] = 128 + 70 * Math.sin(a * u + v) + grain
      data[i + 1] = 110 + 70 * Math.cos(b * v - u) + grain
      data[i + 2] = 100 + 60 * Math.sin(c * (u + v)) + edge + grain
    }
  }
  return { data, info: { width, height, channels: 3 as const } }
}
