import { test } from 'node:test'
import { withoutWebGPU } from './here.ts'

if (withoutWebGPU) test('gradients by WebGPU', { skip: withoutWebGPU })
// Their kernels are tested one by one beside this; here those that are made of several.
else (await import('../gradients.ts')).testGradients([
  'selu', 'mish', 'gelu', 'PReLU', 'ReLU with a ceiling', 'separable convolution', 'dilated convolution', 'upsampling', 'layer normalization', 'concatenation and addition',
])
