"""Pretrains a thin trunk on letters and writes it as a TF Hub style feature vector: see README.md in this folder.

python assets/make-trunk.py --architecture mobilenet_v2
"""
import argparse
import os
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras.src.saving.legacy.saved_model.utils import keras_option_scope

import architectures
import pool

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, '..', 'notebooks', 'models')


def recoloured(rng, images):
  """The batch with each picture's colour channels shuffled and a third of the pictures as negatives: cheap variety."""
  order = rng.permuted(np.tile(np.arange(3), (len(images), 1)), axis=1)
  images = np.take_along_axis(images, order[:, None, None, :], axis=3)
  negative = rng.random(len(images)) < 1 / 3
  images[negative] = 255 - images[negative]
  return images


def pixels(images, size):
  """Pool pictures as a trunk takes them: in [0, 1], resized if it wants another size."""
  images = tf.cast(images, tf.float32) / 255
  return images if size == pool.SIZE else tf.image.resize(images, (size, size), antialias=True)


def pretrain(model, images, labels, stages, batch, peak, seed):
  """Trains in stages of (steps, picture size): small pictures first, which cost less, under one cosine schedule."""
  rng = np.random.default_rng(seed)
  total = sum(steps for steps, _ in stages)
  schedule = keras.optimizers.schedules.CosineDecay(1e-4, total - total // 8, warmup_target=peak, warmup_steps=total // 8)
  optimizer = keras.optimizers.AdamW(schedule, weight_decay=0.004, clipnorm=5.0)
  loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

  @tf.function
  def step(x, y, size):
    x = pixels(x, size)
    with tf.GradientTape() as tape:
      logits = model(x, training=True)
      loss = loss_of(y, logits)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss, tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1, tf.int32), y), tf.float32))

  done, order, started = 0, np.empty(0, int), time.time()
  for steps, size in stages:
    seen = []
    for _ in range(steps):
      if len(order) < batch:
        order = np.concatenate([order, rng.permutation(len(images))])
      chosen, order = order[:batch], order[batch:]
      seen.append(step(recoloured(rng, images[chosen]), labels[chosen], size))
      done += 1
      if done % 100 == 0:
        loss, accuracy = np.mean([[float(value) for value in pair] for pair in seen], axis=0)
        print(f'{done}/{total} size {size} loss {loss:.3f} accuracy {accuracy:.3f} {time.time() - started:.0f} s', flush=True)
        seen = []


class FeatureVector(tf.__internal__.tracking.AutoTrackable):
  """The interface of a reusable SavedModel, as TF Hub publishes them."""

  def __init__(self, trunk):
    self.model = trunk
    self.variables = trunk.variables
    self.trainable_variables = trunk.trainable_variables
    self.regularization_losses = []

  @tf.function
  def __call__(self, inputs, training=False):
    return self.model.call(inputs, training=training)


def export(trunk, folder):
  """Writes the trunk as a feature vector that is called `(inputs, training=False)`, with a trace of both."""
  module = FeatureVector(trunk)
  inputs = tf.TensorSpec([None, *trunk.input_shape[1:]], tf.float32, 'inputs')
  module.__call__.get_concrete_function(inputs, training=True)
  signature = module.__call__.get_concrete_function(inputs, training=False)
  # The layers' own traces would repeat the graph five times over: two megabytes that nobody calls.
  options = tf.saved_model.SaveOptions(experimental_debug_stripper=True)
  with keras_option_scope(save_traces=False):
    tf.saved_model.save(module, folder, signatures=signature, options=options)


def main():
  options = argparse.ArgumentParser(description=__doc__)
  options.add_argument('--architecture', choices=list(architectures.FAMILIES), default='mobilenet_v2')
  options.add_argument('--steps', type=int, nargs=2, default=[3000, 1000], help='training steps on small and on full pictures')
  options.add_argument('--batch', type=int, default=128)
  options.add_argument('--pool', type=int, default=60000, help='letter pictures to draw and train on')
  options.add_argument('--learning-rate', type=float, default=4e-3)
  options.add_argument('--seed', type=int, default=0)
  options.add_argument('--cache', default=os.path.join(HERE, '..', '.graft', 'assets-cache'), help='folder for the pool')
  options.add_argument('--out', default=None, help='default notebooks/models/<architecture>_letters_feature_vector')
  given = options.parse_args()

  sizes = architectures.SIZES[given.architecture]
  keras.utils.set_random_seed(given.seed)
  images, labels = pool.letters(given.pool, given.cache)
  flexible = architectures.trunk(given.architecture, None)
  head = keras.Sequential([keras.Input(flexible.output_shape[1:]),
                           keras.layers.Dense(len(pool.LETTERS), activation='softmax', name='letters')], name='letters_head')
  logits = keras.layers.Dense(len(pool.LETTERS), name='letters')
  classifier = keras.Model(flexible.input, logits(flexible.output))
  pretrain(classifier, images, labels, list(zip(given.steps, sizes)), given.batch, given.learning_rate, given.seed)

  keras.backend.clear_session()
  trunk = architectures.trunk(given.architecture, sizes[1])
  trunk.set_weights(flexible.get_weights())
  head.set_weights(logits.get_weights())
  folder = given.out or os.path.join(MODELS, f'{given.architecture}_letters_feature_vector')
  export(trunk, folder)
  os.makedirs(os.path.join(folder, 'assets.extra'), exist_ok=True)
  head.save(os.path.join(folder, 'assets.extra', 'letters_head.h5'), include_optimizer=False)

  fresh, classes = pool.part(1, 2000)
  answers = head.predict(trunk.predict(pixels(fresh, sizes[1]), verbose=0), verbose=0).argmax(1)
  print('accuracy on letters drawn afresh:', np.mean(answers == classes))


if __name__ == '__main__':
  main()
