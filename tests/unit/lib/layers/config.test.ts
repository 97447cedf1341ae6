import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { layers } from '@tensorflow/tfjs'
import { tf } from '../../../../lib/tf.ts'

const dense = { className: 'Dense', config: { units: 3 } }
const negative = { name: 'o', op: 'Neg', inputs: ['operand_0'], attributes: {} }
const operation = { operations: [negative], operands: [{ from: 'input' }], results: ['o'] }

/** Classes that the library adds, with the least that they need. */
const classes: Record<string, object> = {
  ELU: {}, GroupNormalization: { groups: 2 }, LayerScale: { projectionDim: 4 },
  Normalization: { mean: [0, 0, 0, 0], variance: [1, 1, 1, 1] },
  AdaptedNormalization: {}, KerasAugmentation: { keras: { name: '{"className":"RandomFlip","config":{}}' } },
  TensorFlowOp: { operation: { name: JSON.stringify(operation) } }, RMSNormalization: {}, UnitNormalization: {},
  EinsumDense: { equation: '...x,xy->...y', outputShape: 3 }, SpectralNormalization: { layer: dense },
  Resizing: { height: 4, width: 4 },
  AutoContrast: {}, CenterCrop: { height: 2, width: 2 }, StandardizedConv2D: { filters: 2, kernelSize: 3 },
  SpatialDropout2D: { rate: 0.5 }, AdaptiveAveragePooling2D: { outputSize: 2 }, Rescaling: { scale: 2 },
}

describe('a layer that is read keeps its name, whether it trains, and its input', () => {
  for (const [className, settings] of Object.entries(classes)) {
    test(className, () => {
      const [cls, fromConfig] = tf.serialization.SerializationMap.getMap().classNameMap[className]
      const make = (config: object) => fromConfig(cls, structuredClone(config) as never) as unknown as layers.Layer
      const layer = make({ ...settings, name: 'mine', trainable: false, batchInputShape: [null, 8, 8, 4] })
      for (const each of [layer, make(layer.getConfig())]) {
        const { name, trainable, batchInputShape } = each.getConfig()
        assert.deepEqual([name, each.trainable, trainable, batchInputShape], ['mine', false, false, [null, 8, 8, 4]])
      }
      const model = tf.sequential({ layers: [layer] })
      assert.equal(model.trainableWeights.length, 0)
    })
  }
})
