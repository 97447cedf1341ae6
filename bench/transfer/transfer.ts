import { join } from 'node:path'
import { customize, data, hub, predict, train } from '../../lib/index.ts'

const notebooks = join(import.meta.dirname, '..', '..', 'notebooks')

/** Test accuracy of the bundled trunk's extraction, and of the same network trained from scratch, for one seed. */
export interface Transfer { seed: number, extraction: number, scratch: number }

/**
 * What pretraining is worth on a bundled image set: for each seed, ten epochs of Adam on the training images, then the share of the test images
 * that is right. The seed draws the head, the order of the images and, from scratch, every weight.
 */
export async function* transfer(set: 'digits' | 'textures', seeds: number[], epochs = 10): AsyncGenerator<Transfer> {
  for (const seed of seeds) {
    const base = await hub.load(join(notebooks, 'models', 'mobilenet_v2_letters_feature_vector'), { fresh: true })
    const images = await data.images(join(notebooks, 'images', set), { size: base, seed })
    const frozen = customize.extract(base, { classes: images.classes, seed, show: false })
    const untrained = await customize.scratch(frozen, { seed })
    await train(frozen, images, { epochs, seed, show: false })
    await train(untrained, images, { epochs, seed, show: false })
    const right = async (model: typeof frozen) => (await predict(model, images.test)).accuracy!
    yield { seed, extraction: await right(frozen), scratch: await right(untrained) }
  }
}
