import type * as tfTypes from '@tensorflow/tfjs'

/** The whole of TensorFlow.js, as `import * as tf` gives it. */
export type TF = typeof tfTypes

/** What the repairs see of a layer's class: methods by name, which they replace. */
export type Methods = Record<string, (...args: never[]) => unknown> & { constructor: { fromConfig?: unknown } }

/** The prototype of a layer's class. The classes themselves are not exported. */
export const prototypeOf = (layer: object): Methods => Object.getPrototypeOf(layer) as Methods
