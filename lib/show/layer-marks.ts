import type { LayersModel } from '@tensorflow/tfjs'

type Layer = LayersModel['layers'][number]

/** What a layer is marked with, and why, in words. */
export interface LayerMark {
  kind: 'opaque' | 'repaired'
  why: string
}

/** The sign before the word: neither stands for its meaning alone. */
export const signs = { opaque: '◆', repaired: '◇' } as const

/** What the marks mean, for under a table. */
export const meanings = {
  opaque: 'opaque: TensorFlow operations that no Keras layer stands for, run as they are',
  repaired: 'repaired: TensorFlow.js alone computes or trains it otherwise than Keras',
} as const

/** What the rules look at: a layer has the options that it was made with as properties. */
interface Config {
  scale?: boolean
  center?: boolean
  padding?: string
  dilationRate?: number | number[]
  groups?: number
  outputPadding?: unknown
  interpolation?: string
  axis?: number | number[]
}

type Rule = (config: Config, rank: number) => string | false

const dilated: Rule = ({ dilationRate = 1 }) => [dilationRate].flat().some(rate => rate > 1) && 'dilated'

/** The cases that lib/layers mends, by the class. A frozen BatchNormalization is not among them: its mode has words of its own. */
const repairs: Record<string, Rule[]> = {
  BatchNormalization: [({ scale, center }) => (scale === false || center === false) && 'without scale or offset'],
  LayerNormalization: [({ scale, center }) => (scale === false || center === false) && 'without scale or offset'],
  Conv2D: [({ groups = 1 }) => groups > 1 && `${groups} groups`, dilated],
  DepthwiseConv2D: [dilated],
  Conv2DTranspose: [dilated, ({ outputPadding }) => outputPadding != null && 'output padding'],
  AveragePooling2D: [({ padding }) => padding === 'same' && 'gradient at the border'],
  UpSampling2D: [({ interpolation }) => interpolation === 'bilinear' && 'centres of pixels'],
  Resizing: [({ interpolation }) => interpolation !== 'nearest' && 'centres of pixels'],
  Softmax: [({ axis }, rank) => axis !== undefined && ![-1, rank - 1].includes([axis].flat()[0]) && 'along another axis'],
  GroupNormalization: [() => 'not in TensorFlow.js'],
}

/** Whether a layer is opaque (operations instead of a Keras layer) or repaired (TensorFlow.js alone has it otherwise, or not at all). */
export function markOf(layer: Layer): LayerMark | undefined {
  const type = layer.getClassName(), rules = repairs[type]
  if (type === 'TensorFlowOp') {
    const { config } = layer as unknown as { config: { operations: { op: string }[] } }
    const operations = [...new Set(config.operations.map(({ op }) => op))]
    return { kind: 'opaque', why: operations.slice(0, 3).join(', ') + (operations.length > 3 ? ', …' : '') }
  }
  if (!rules) return undefined
  const rank = (layer.inboundNodes[0]?.outputShapes[0] as unknown[] | undefined)?.length ?? 0
  const why = rules.map(rule => rule(layer as Config, rank)).find(Boolean)
  return why ? { kind: 'repaired', why } : undefined
}
