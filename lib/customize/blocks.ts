import type { LayersModel } from '@tensorflow/tfjs'
import { didYouMean, GraftError } from '../error.ts'
import { blockTree, isBlock, rowsOf, type LayerEntry } from '../show/layer-rows.ts'
import { holdsWeights, leaves, type Layer } from './layers.ts'

/** Layers of a network that belong together, under the name that the layer table shows. */
export interface Block { name: string, layers: Layer[] }

/**
 * The one grouping of a model's layers, the same that the layer table folds: blocks whose names say so (`block_3`,
 * `conv4_block2`), else what lies between two places where the network is a single path. Layers between two blocks form a
 * block of their own, named after the first of them (the stem comes so).
 */
export function blocksOf(model: LayersModel): Block[] {
  const byName = new Map(leaves(model).map(layer => [layer.name, layer]))
  const blocks: Block[] = []
  let between: Block | null = null
  const visit = (entry: LayerEntry) => {
    if (isBlock(entry) && entry.kind !== 'block') return entry.entries.forEach(visit)
    const layers = rowsOf(entry).map(row => byName.get(row.name)!).filter(Boolean)
    if (isBlock(entry)) {
      between = null
      blocks.push({ name: entry.name, layers })
    } else if (between) {
      between.layers.push(...layers)
    } else {
      blocks.push(between = { name: entry.name, layers })
    }
  }
  blockTree(model).forEach(visit)
  return blocks.filter(({ layers }) => layers.some(holdsWeights))
}

/** The block of this name. */
export function blockNamed(model: LayersModel, name: string): Block {
  const blocks = blocksOf(model), found = blocks.find(block => block.name === name)
  if (found) return found
  throw new GraftError(`unknown block: '${name}'.${didYouMean(name, blocks.map(block => block.name))} '${model.name}' has ` +
    `${blocks.map(block => `'${block.name}'`).join(', ')}.`)
}

