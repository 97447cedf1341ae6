import { test } from 'node:test'
import { withoutWebGPU } from './here.ts'

if (withoutWebGPU) test('gradients by WebGPU', { skip: withoutWebGPU })
else {
  const { testGradients } = await import('../gradients.ts'), { testAgainstTensorFlow } = await import('../against-tensorflow.ts')
  // Their kernels are tested one by one beside this; here those that are made of several.
  testGradients([
    'selu', 'mish', 'gelu', 'PReLU', 'ReLU with a ceiling', 'separable convolution', 'dilated convolution', 'upsampling', 'layer normalization', 'concatenation and addition',
  ])
  testAgainstTensorFlow('webgpu', false)
}
