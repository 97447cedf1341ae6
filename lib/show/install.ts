import { inspect } from 'node:util'
import type * as tfjs from '@tensorflow/tfjs'
import { displaySymbol, type MimeBundle } from '../host.ts'
import { layerTable, layerText } from './layers.ts'
import type { RunView } from './run-view.ts'
import { tensorBundle, tensorText } from './tensor.ts'
import { trainingPlot, trainingText } from './training.ts'

type Tf = typeof tfjs
/** What `model.fit` returns. */
export type Fit = Pick<tfjs.History, 'epoch' | 'history'>

/**
 * Teaches TensorFlow.js's own values to show themselves, in a cell and in a terminal: a model as its layer table, a tensor as
 * its values, what `model.fit` returns as a training plot, a layer as one line.
 */
export function installDisplays(tf: Tf): void {
  define(tf.LayersModel, layerTable, layerText)
  define(tf.Tensor, tensorBundle, tensorText)
  define(
    tf.History,
    fit => trainingPlot(asRun(fit)),
    fit => trainingText(asRun(fit)),
  )
  define(
    tf.SymbolicTensor,
    undefined,
    symbolic =>
      `SymbolicTensor of '${symbolic.sourceLayer?.name}' ${symbolic.dtype} [${symbolic.shape.map(n => n ?? 'None').join(', ')}]`,
  )
  define(tf.layers.Layer, undefined, layer => `${layer.getClassName()} '${layer.name}'${layer.trainable ? '' : ', frozen'}`)
}

function define<T>(
  type: abstract new (...args: never[]) => T,
  bundle: ((value: T) => MimeBundle) | undefined,
  text: (value: T) => string,
): void {
  const method = (value: unknown) => ({ value, enumerable: false, configurable: true, writable: true })
  Object.defineProperty(
    type.prototype,
    inspect.custom,
    method(function (this: T) {
      return text(this)
    }),
  )
  Object.defineProperty(
    type.prototype,
    displaySymbol,
    method(function (this: T) {
      return bundle ? bundle(this) : { 'text/plain': text(this) }
    }),
  )
}

/** What `model.fit` returns, with TensorFlow.js's names (`acc`, `val_loss`) turned into ours. */
export function asRun(fit: Fit): RunView {
  const history: RunView['history'] = { loss: [] }
  for (const [name, values] of Object.entries(fit.history)) {
    const [, val, rest] = /^(val_)?(.*)$/.exec(name)!
    const plain = rest === 'acc' ? 'accuracy' : rest
    history[val ? `val${plain[0].toUpperCase()}${plain.slice(1)}` : plain] = values.map(Number)
  }
  const judged = history.valLoss ?? history.loss
  return {
    epochs: history.loss.length,
    history,
    seconds: NaN,
    bestEpoch: judged.length ? judged.indexOf(Math.min(...judged)) + 1 : null,
  }
}
