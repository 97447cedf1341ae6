import { freeze } from '../lib/customize/freeze.ts'
import { images } from '../lib/data/images.ts'
import { list } from '../lib/data/list.ts'
import { GraftError } from '../lib/error.ts'
import { hub } from '../lib/hub/index.ts'
import { tf } from '../lib/tf.ts'
import { Feeder } from '../lib/train/features.ts'
import { borrowPrefix } from '../lib/train/prefixes.ts'
import { optionsOf, taskOf } from './task.ts'

const usage = `graft features MODEL IMAGES [--size N]                         for all images of a folder
graft features MODEL IMAGES --shards M [--shard N]             for every M-th: a job of an array (default: SLURM_ARRAY_TASK_ID)`

const atOnce = 32

/**
 * Computes what a frozen hub model gives for the images of a folder, or for one shard of them, and keeps it in the cache
 * (`GRAFT_CACHE_DIR`) by content, where `train` finds it. Shards may be computed at the same time, on machines that share the
 * folder of the cache; one that is computed again takes what is there. Images that cannot be read are named and left out.
 *
 * @returns the exit code: 0, or 1 where images could not be read
 */
export async function cacheFeatures(args: string[]): Promise<number> {
  const { values, positionals } = optionsOf(args, {
    shard: { type: 'string' }, shards: { type: 'string' }, size: { type: 'string' },
  }, usage)
  const [handle, folder, ...more] = positionals, shards = Number(values.shards ?? 1)
  if (!handle || !folder || more.length) throw new GraftError(`expected a model and a folder.\n\n${usage}`)
  if (!Number.isInteger(shards) || shards < 1)
    throw new GraftError(`--shards must be a whole number above 0; received ${values.shards}.`)
  const shard = taskOf(values.shard, shards, 'shard') ?? 0
  if (shards > 1 && values.shard === undefined && process.env.SLURM_ARRAY_TASK_ID === undefined)
    throw new GraftError(`which of the ${shards} shards? --shard N says, from 0.\n\n${usage}`)
  const { classes, train, validation, test } = await list(folder)
  const files: Record<string, string[]> = Object.fromEntries(classes.map(name => [name, []]))
  const mine = [...train, ...validation ?? [], ...test ?? []].filter((_, i) => i % shards === shard)
  for (const { file, label } of mine) files[classes[label]].push(file)
  const base = await hub.load(handle)
  freeze(base)
  // Of a class that has no image in this shard nothing need be known.
  const chosen = Object.fromEntries(Object.entries(files).filter(([, list]) => list.length))
  const { train: set, problems } = await images(chosen, { size: values.size ? Number(values.size) : base, memory: 0 })
  const { prefix, release } = borrowPrefix(base), feeder = new Feeder(base, prefix)
  try {
    for (let at = 0; at < set.length; at += atOnce) {
      tf.dispose(await feeder.inputs(set, Array.from({ length: Math.min(atOnce, set.length - at) }, (_, i) => at + i)))
      console.log(`  ${Math.min(at + atOnce, set.length)} of ${set.length} images`)
    }
  } finally {
    await release()
  }
  for (const { file, reason } of problems) console.error(`${file}: ${reason}`)
  console.log(`Shard ${shard} of ${shards}: ${set.length} images, ${feeder.forwards} of them computed now` +
    (problems.length ? `, ${problems.length} left out` : ''))
  return problems.length ? 1 : 0
}
