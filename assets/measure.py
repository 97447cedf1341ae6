"""Measures a bundled trunk with TensorFlow: feature extraction on the digits against the same net trained from scratch.

python assets/measure.py --architecture mobilenet_v2
"""
import argparse
import glob
import json
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np
import tensorflow as tf
import tf_keras as keras
from PIL import Image

import architectures

HERE = os.path.dirname(os.path.abspath(__file__))
NOTEBOOKS = os.path.join(HERE, '..', 'notebooks')


def picture(file, size):
  """One PNG's pixels in [0, 1]."""
  return np.asarray(Image.open(file).convert('RGB').resize((size, size), Image.BILINEAR), np.float32) / 255


def pictures(folder, size):
  """The PNGs of a folder of class folders as (pixels in [0, 1], class indices, class names)."""
  classes = sorted(os.listdir(os.path.join(NOTEBOOKS, 'images', folder)))
  files = [(index, file) for index, name in enumerate(classes)
           for file in sorted(glob.glob(os.path.join(NOTEBOOKS, 'images', folder, name, '*.png')))]
  return np.stack([picture(file, size) for _, file in files]), np.array([index for index, _ in files]), classes


def trained(model, train, test, seed, rate, epochs):
  """Test accuracy of a model after the lesson's training: Adam, batches of 32."""
  keras.utils.set_random_seed(seed)
  model.compile(keras.optimizers.Adam(rate), 'sparse_categorical_crossentropy', metrics=['accuracy'])
  model.fit(*train, epochs=epochs, batch_size=32, verbose=0)
  return float(model.evaluate(*test, verbose=0)[1])


def main():
  options = argparse.ArgumentParser(description=__doc__)
  options.add_argument('--architecture', choices=list(architectures.FAMILIES), default='mobilenet_v2')
  options.add_argument('--model', default=None, help='default notebooks/models/<architecture>_letters_feature_vector')
  options.add_argument('--images', default='digits', choices=['digits', 'textures'])
  options.add_argument('--seeds', type=int, default=5)
  options.add_argument('--epochs', type=int, default=10)
  options.add_argument('--learning-rate', type=float, default=1e-3)
  options.add_argument('--no-scratch', action='store_true', help='leave out the nets trained from scratch, which take minutes')
  given = options.parse_args()

  folder = given.model or os.path.join(NOTEBOOKS, 'models', f'{given.architecture}_letters_feature_vector')
  hub = tf.saved_model.load(folder)
  size = hub.signatures['serving_default'].structured_input_signature[1]['inputs'].shape[1]
  x, y, classes = pictures(f'{given.images}/train', size)
  test_x, test_y, _ = pictures(f'{given.images}/test', size)
  letters_x, letters_y, _ = pictures('letters', size)
  head = keras.models.load_model(os.path.join(folder, 'assets.extra', 'letters_head.h5'), compile=False)
  features, test_features, letter_features = [hub(pixels).numpy() for pixels in (x, test_x, letters_x)]
  result = {'letters': float(np.mean(head.predict(letter_features, verbose=0).argmax(1) == letters_y)),
            'features': f'{features.shape[1]}, mean {features.mean():.3f}, deviation {features.std():.3f}',
            'extraction': [], 'photo of a seven': [], 'scratch': []}
  seven = hub(picture(os.path.join(NOTEBOOKS, 'images', 'photo-of-a-seven.png'), size)[None]).numpy()
  for seed in range(given.seeds):
    keras.utils.set_random_seed(seed)
    new = keras.Sequential([keras.Input(features.shape[1:]), keras.layers.Dense(len(classes), activation='softmax')])
    result['extraction'].append(trained(new, (features, y), (test_features, test_y), seed, given.learning_rate, given.epochs))
    if given.images == 'digits':
      result['photo of a seven'].append(float(new.predict(seven, verbose=0)[0, 7]))
    if not given.no_scratch:
      keras.utils.set_random_seed(seed)
      trunk = architectures.trunk(given.architecture, size)
      net = keras.Model(trunk.input, keras.layers.Dense(len(classes), activation='softmax')(trunk.output))
      result['scratch'].append(trained(net, (x, y), (test_x, test_y), seed, given.learning_rate, given.epochs))
  result['mean extraction'] = float(np.mean(result['extraction']))
  print(json.dumps(result, indent=1))


if __name__ == '__main__':
  main()
