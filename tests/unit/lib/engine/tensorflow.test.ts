import { before, describe, test } from 'node:test'
import { withoutTensorFlow } from './tensorflow/here.ts'
import { cases, checkCase, tensorflow, titleOf } from './against-tensorflow.ts'
import { tf } from '../../../../lib/tf.ts'

for (const engine of ['wasm', 'tensorflow']) describe(`values and gradients on the engine ${engine} are those of TensorFlow ${tensorflow}`,
  { skip: engine === 'tensorflow' && withoutTensorFlow }, () => {
    before(() => tf.setBackend(engine))
    for (const one of cases) test(titleOf(one), () => checkCase(one))
  })
