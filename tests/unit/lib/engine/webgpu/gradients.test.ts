import { test } from 'node:test'
import { withoutWebGPU } from './here.ts'

if (withoutWebGPU) test('gradients by WebGPU', { skip: withoutWebGPU })
else (await import('../gradients.ts')).testGradients()
