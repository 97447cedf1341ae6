import * as tf from '@tensorflow/tfjs'

interface Model {
  predictLoop(...args: unknown[]): unknown
  makeTestFunction(): void
  testFunction(data: unknown): unknown
}

type Call = (...args: unknown[]) => unknown

/** Of the prediction that runs: tensors that some layer takes twice, and whether they were to be freed. */
let held: Map<tf.Tensor, boolean> | undefined

function hold(x: tf.Tensor): void {
  if (!held || Object.hasOwn(x, 'dispose')) return
  const mine = held
  mine.set(x, false)
  x.dispose = () => void mine.set(x, true)
}

/** Runs something in which such tensors are freed at its end. */
function holding<T>(run: () => T): T {
  const outer = held, mine = held = new Map<tf.Tensor, boolean>()
  try {
    return run()
  } finally {
    held = outer
    for (const [x, freed] of mine) {
      delete (x as { dispose?: unknown }).dispose
      if (freed) x.dispose()
    }
  }
}

/**
 * While it predicts, TensorFlow.js frees a tensor once as many layers have run as take it, and counts a layer that takes it
 * twice, such as `Multiply` of x and x or an attention of a sequence to itself, as two: it was gone before the last of them ran.
 * Those tensors are freed at the end here.
 */
export function repairTakenTwice(): void {
  const layer = tf.layers.Layer.prototype as unknown as { apply: Call }, { apply } = layer
  const model = tf.LayersModel.prototype as unknown as Model, { predictLoop, makeTestFunction } = model
  const container = Object.getPrototypeOf(model) as { call: Call }, { call } = container
  layer.apply = function (inputs, kwargs) {
    if (held && Array.isArray(inputs)) {
      for (const [i, x] of inputs.entries()) if (x instanceof tf.Tensor && inputs.indexOf(x) < i) hold(x)
    }
    return apply.call(this, inputs, kwargs)
  }
  container.call = function (...args) {
    return holding(() => call.apply(this, args))
  }
  model.predictLoop = function (...args) {
    return holding(() => predictLoop.apply(this, args))
  }
  model.makeTestFunction = function () {
    makeTestFunction.call(this)
    const { testFunction } = this
    this.testFunction = data => holding(() => testFunction(data))
  }
}
