import * as tf from '@tensorflow/tfjs'

/** Operations whose result is yes or no, and the names of what they take. */
const operations = {
  Equal: ['a', 'b'], NotEqual: ['a', 'b'], Greater: ['a', 'b'], Less: ['a', 'b'], LessEqual: ['a', 'b'],
  Any: ['x'], All: ['x'], LogicalAnd: ['a', 'b'], LogicalOr: ['a', 'b'], LogicalNot: ['x'],
}

/** Comparisons get a gradient of zero, which TensorFlow.js lacks: what is trained may then be masked by what it holds. */
export function repairComparisons(): void {
  for (const [kernelName, inputs] of Object.entries(operations)) {
    if (tf.getGradient(kernelName)) continue
    tf.registerGradient({
      kernelName, inputsToSave: inputs,
      gradFunc: (_, saved) => Object.fromEntries(inputs.map((input, i) => [input, () => tf.zeros(saved[i].shape)])),
    })
  }
}
