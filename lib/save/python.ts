import type { ModelCard } from '../card.ts'

/** A Python string literal: JSON's escapes are among Python's. */
const quoted = (text: string): string => JSON.stringify(text)

/** A number as Python writes it. */
const number = (value: number): string => Number.isInteger(value) ? value.toFixed(1) : String(value)

/**
 * The Python lines that open a saved model with Keras and predict on one image, with the preprocessing the card tells. They need
 * nothing but `keras` and `numpy`.
 */
export function pythonLines(path: string, card: ModelCard | undefined): string[] {
  const open = ['import keras, numpy as np', `model = keras.models.load_model(${quoted(path)})`]
  if (!card) return [...open, 'model.summary()']
  const [low, high] = card.range
  const scaled = `x = x * ${number(high - low)} / 255${low === 0 ? '' : low < 0 ? ` - ${number(-low)}` : ` + ${number(low)}`}`
  const { classes } = card
  return [
    ...open,
    `image = keras.utils.load_img("image.png", target_size=(${card.size.join(', ')}), interpolation="bilinear")`,
    'x = keras.utils.img_to_array(image)[np.newaxis]',
    ...(low === 0 && high === 255 ? [] : [scaled.replace(' * 1.0 / ', ' / ')]),
    'probabilities = model.predict(x)[0]',
    ...(classes ? [`classes = [${classes.map(quoted).join(', ')}]`, 'print(classes[probabilities.argmax()], probabilities.max())'] : ['print(probabilities)']),
  ]
}
