import * as tf from '@tensorflow/tfjs'
import { fitAsOneFunction } from './engine/fit.ts'
import { surviveInterrupts } from './engine/interrupts.ts'
import { startEngine } from './engine/start.ts'
import { repair } from './layers/repair.ts'

await startEngine()
repair(tf)
surviveInterrupts(tf)
fitAsOneFunction(tf)

/** TensorFlow.js with its engine started and its layers repaired: `tf` works at once, without `await tf.ready()`. */
export { tf }
