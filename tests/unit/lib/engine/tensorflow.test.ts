import { withoutTensorFlow } from './tensorflow/here.ts'
import { testAgainstTensorFlow } from './against-tensorflow.ts'

testAgainstTensorFlow('wasm', false)
testAgainstTensorFlow('tensorflow', withoutTensorFlow)
