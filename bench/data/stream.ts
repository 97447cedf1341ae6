// A data set larger than its memory: reads it whole, goes through it once, and says how much memory the process ever took.
//   node bench/data/stream.ts [count=20000] [memory in MiB=256]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { images } from '../../lib/data/images.ts'
import { photos } from './photos.ts'

const [count = 20_000, mebibytes = 256] = process.argv.slice(2).map(Number)
const folder = mkdtempSync(join(tmpdir(), 'graft-stream-'))
const peak = () => `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`
try {
  await photos(folder, count, [320, 240])
  console.log(`${count} JPEGs are written; peak so far ${peak()}`)
  const data = await images(folder, { size: 224, range: [0, 1], memory: mebibytes * 2 ** 20 })
  console.log(`read; peak ${peak()}`)
  let values = 0
  for await (const { pixels } of data.train.batches(32, { seed: 1 })) values += pixels.length
  console.log(`${(values * 4 / 2 ** 30).toFixed(1)} GiB of pixels went by; peak ${peak()}, of which ${mebibytes} MiB were allowed for decoded images`)
} finally {
  rmSync(folder, { recursive: true })
}
