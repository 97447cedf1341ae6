import * as tf from '@tensorflow/tfjs'
import { startEngine } from './engine/start.ts'

await startEngine()

/** TensorFlow.js with its engine started: `tf` works at once, without `await tf.ready()`. */
export { tf }
