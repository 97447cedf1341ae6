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
export function pythonLines(path: string, model: LayersModel, card: ModelCard | undefined): string[] {
  const open = `model = keras.models.load_model(${quoted(path)})`
  const input = model.inputs[0].shape,
    output = model.outputs[0].shape
  if (!card || model.inputs.length > 1 || model.outputs.length > 1 || input.length !== 4 || output.length !== 2) {
    return ['import keras', open, 'model.summary()']
  }
  const [low, high] = card.range,
    channels = input[3] ?? 3
  const scale = high - low === 1 ? '/ 255' : `* ${number(high - low)} / 255`
  const shift = low === 0 ? '' : low < 0 ? ` - ${number(-low)}` : ` + ${number(low)}`
  const lines = [
    'import keras, numpy as np',
    'from PIL import ImageOps',
    open,
    `image = ImageOps.exif_transpose(keras.utils.load_img("image.png"${channels === 1 ? ', color_mode="grayscale"' : ''}))`,
    `x = keras.ops.image.resize(keras.utils.img_to_array(image)[np.newaxis], (${card.size.join(', ')}))`,
    ...(low === 0 && high === 255 ? [] : [`x = x ${scale}${shift}`]),
  ]
  const activation = outputActivation(model),
    { classes } = card
  if (activation !== 'softmax' && activation !== 'sigmoid' && !classes)
    return [...lines, 'features = model.predict(x)[0]', 'print(features.shape)']
  if (output[1] === 1)
    lines.push('probability = model.predict(x)[0, 0]', 'probabilities = np.array([1 - probability, probability])')
  else if (activation === 'softmax' || activation === 'sigmoid') lines.push('probabilities = model.predict(x)[0]')
  else lines.push('probabilities = np.array(keras.ops.softmax(model.predict(x)))[0]')
  return classes
    ? [...lines, `classes = [${classes.map(quoted).join(', ')}]`, 'print(classes[probabilities.argmax()], probabilities.max())']
    : [...lines, 'print(probabilities)']
}

/** The Python line for a file of weights alone. */
export const weightLines = (path: string): string[] => [
  '# In Python, with a model of the same layers:',
  `model.load_weights(${quoted(path)})`,
]
