import { describe, test } from 'node:test'
import { withoutWebGPU } from './here.ts'

// Their kernels are tested one by one beside this; here those that are made of several.
const kinds = ['selu', 'mish', 'gelu', 'PReLU', 'ReLU with a ceiling', 'separable convolution', 'dilated convolution', 'upsampling',
  'layer normalization', 'concatenation and addition']

describe('by WebGPU', { skip: withoutWebGPU }, async () => {
  if (withoutWebGPU) return
  const { checkGradients } = await import('../gradients.ts'), { tf } = await import('../../../../../lib/tf.ts')
  const { cases, checkCase, tensorflow, titleOf } = await import('../against-tensorflow.ts')

  for (const name of kinds) test(`gradients around ${name} are the reference engine's`, () => checkGradients(name))
  for (const one of cases) test(`${titleOf(one)} is as in TensorFlow ${tensorflow}`, async () => {
    await tf.setBackend('webgpu')
    checkCase(one)
  })
})
