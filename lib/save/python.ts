import { basename, dirname } from 'node:path'
import type { LayersModel } from '@tensorflow/tfjs'
import type { ModelCard } from '../card.ts'
import { outputActivation } from '../customize/layers.ts'

/** A Python string literal: JSON's escapes are among Python's. */
const quoted = (text: string): string => JSON.stringify(text)

/** A number as Python writes it. */
const number = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value))

/**
 * The Python lines that open a saved model with Keras 3 and predict on one image as Graft's `predict` does: turned upright,
 * resized as `tf.image.resize` does, scaled to the card's range. They need nothing but Keras and what it needs to read images
 * (Pillow).
 */
export function pythonLines(path: string, model: LayersModel, card: ModelCard | undefined, reader = kerasReader(path)): string[] {
  const { open, run } = reader
  const input = model.inputs[0].shape,
    output = model.outputs[0].shape
  if (!card || model.inputs.length > 1 || model.outputs.length > 1 || input.length !== 4 || output.length !== 2) {
    return [...reader.imports ?? ['import keras'], ...open, ...reader.look]
  }
  const [low, high] = card.range,
    channels = input[3] ?? 3
  const scale = high - low === 1 ? '/ 255' : `* ${number(high - low)} / 255`
  const shift = low === 0 ? '' : low < 0 ? ` - ${number(-low)}` : ` + ${number(low)}`
  const lines = [
    'import keras, numpy as np',
    'from PIL import ImageOps',
    ...reader.imports ?? [],
    ...open,
    `image = ImageOps.exif_transpose(keras.utils.load_img("image.png"${channels === 1 ? ', color_mode="grayscale"' : ''}))`,
    `x = keras.ops.image.resize(keras.utils.img_to_array(image)[np.newaxis], (${card.size.join(', ')}))`,
    ...(low === 0 && high === 255 ? [] : [`x = x ${scale}${shift}`]),
  ]
  const activation = outputActivation(model),
    { classes } = card
  if (activation !== 'softmax' && activation !== 'sigmoid' && !classes)
    return [...lines, `features = ${run}[0]`, 'print(features.shape)']
  if (output[1] === 1)
    lines.push(`probability = ${run}[0, 0]`, 'probabilities = np.array([1 - probability, probability])')
  else if (activation === 'softmax' || activation === 'sigmoid') lines.push(`probabilities = ${run}[0]`)
  else lines.push(`probabilities = np.array(keras.ops.softmax(${run}))[0]`)
  return classes
    ? [...lines, `classes = [${classes.map(quoted).join(', ')}]`, 'print(classes[probabilities.argmax()], probabilities.max())']
    : [...lines, 'print(probabilities)']
}

/** How Python opens a file and runs what is in it. */
interface Reader {
  imports?: string[]
  open: string[]
  run: string
  look: string[]
}

const kerasReader = (path: string): Reader =>
  ({ open: [`model = keras.models.load_model(${quoted(path)})`], run: 'model.predict(x)', look: ['model.summary()'] })

/** The lines for a file of any format. `module` is one beside it that must be imported first. */
export function pythonFor(extension: string, path: string, model: LayersModel, card: ModelCard | undefined,
  module?: string): string[] {
  if (extension === '.weights.h5') return weightLines(path)
  if (extension === '.json') return ['# In a browser or in Node, with TensorFlow.js:',
    `model = await tf.loadLayersModel('…/${basename(path)}')`]
  if (extension === 'saved_model.pb') {
    const open = [`model = tf.saved_model.load(${quoted(path)})`], look = ['print(model.signatures["serving_default"])']
    return pythonLines(path, model, card, { imports: ['import tensorflow as tf'], open, run: 'model(x).numpy()', look })
  }
  if (extension === '.onnx') {
    const open = [`session = onnxruntime.InferenceSession(${quoted(path)})`]
    const run = 'session.run(None, {"input": np.asarray(x)})[0]',
      look = ['print(session.get_inputs()[0], session.get_outputs()[0])']
    return pythonLines(path, model, card, { imports: ['import onnxruntime'], open, run, look })
  }
  const reader = kerasReader(path)
  if (!module) return pythonLines(path, model, card, reader)
  const find = [`sys.path.insert(0, ${quoted(dirname(path))})`, `import ${module}`]
  return pythonLines(path, model, card, { ...reader, imports: ['import keras, sys', ...find] })
}

/** The Python line for a file of weights alone. */
export const weightLines = (path: string): string[] => [
  '# In Python, with a model of the same layers:',
  `model.load_weights(${quoted(path)})`,
]
