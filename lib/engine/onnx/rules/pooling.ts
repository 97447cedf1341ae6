import { Unsupported } from '../emitter.ts'
import type { Emitter, Rule, Value } from '../emitter.ts'
import { padding, windowOf } from './convolution.ts'

/**
 * ONNX Runtime takes a margin of zeros into the pooling that follows, where it counts as nothing instead of as zeros. It leaves
 * one alone that names its axes.
 */
function keepZeros(e: Emitter, { margin }: Value): void {
  if (!margin || margin.inputs.length > 2) return
  const pads = e.constants.find(({ name }) => name === margin.inputs[1])!, [, , top, left, , , bottom, right] = pads.data
  margin.inputs = [margin.inputs[0], e.constant([top, left, bottom, right].map(Number)), '', e.constant([2, 3])]
}

function pool(op: 'MaxPool' | 'AveragePool'): Rule {
  return (e, layer, [x], shape) => {
    const window = windowOf(layer.getConfig(), 'poolSize')
    keepZeros(e, x)
    const attributes = { kernel_shape: window.kernelSize, strides: window.strides, ...padding(window, x.shape) }
    // Margins do not count in an average, as in TensorFlow.
    const name = e.node(op, [e.first(x)], op === 'AveragePool' ? { ...attributes, count_include_pad: 0 } : attributes)
    return { name, shape, channelsFirst: true }
  }
}

function poolAll(op: 'GlobalMaxPool' | 'GlobalAveragePool'): Rule {
  return (e, layer, [x], shape) => {
    if (layer.getConfig().dataFormat === 'channelsFirst') throw new Unsupported('channels-first data')
    const pooled = e.node(op, [e.first(x)])
    return flat(e, pooled, shape)
  }
}

function flat(e: Emitter, pooled: string, shape: Value['shape']): Value {
  if (shape.length === 4) return { name: pooled, shape, channelsFirst: true }
  return { name: e.node('Flatten', [pooled], { axis: 1 }), shape, channelsFirst: false }
}

export const poolingRules: Record<string, Rule> = {
  MaxPooling2D: pool('MaxPool'),
  AveragePooling2D: pool('AveragePool'),
  GlobalMaxPooling2D: poolAll('GlobalMaxPool'),
  GlobalAveragePooling2D: poolAll('GlobalAveragePool'),
}
