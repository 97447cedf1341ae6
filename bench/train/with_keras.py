"""The Keras 3 side of bench/train: reads {"work": …, "size": …} lines, does that work once, answers with seconds."""
import json
import os
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
import keras
import numpy as np

CLASSES, BATCH = 10, 8
steps = {}


def build(size, trainable):
  base = keras.applications.MobileNetV2(input_shape=(size, size, 3), weights=None, include_top=False, pooling='avg')
  base.trainable = trainable
  model = keras.Sequential([base, keras.layers.Dense(CLASSES, activation='softmax')])
  model.compile('adam', 'categorical_crossentropy')
  return base, model


def data(count, size):
  random = np.random.default_rng(1)
  return random.random((count, size, size, 3), 'float32'), np.eye(CLASSES, dtype='float32')[np.arange(count) % CLASSES]


def step(size, trainable):
  """One training step, warm."""
  key = size, trainable
  if key not in steps:
    model, (x, y) = build(size, trainable)[1], data(BATCH, size)
    model.train_on_batch(x, y)
    steps[key] = lambda: model.train_on_batch(x, y)
  start = time.perf_counter()
  for _ in range(3):
    steps[key]()
  return (time.perf_counter() - start) / 3


def first_step(size):
  (x, y), start = data(BATCH, size), time.perf_counter()
  build(size, True)[1].train_on_batch(x, y)
  return time.perf_counter() - start


def extraction(size, by_hand):
  """128 images, ten epochs with a frozen trunk: as everyone writes it, or with the features taken out once by hand."""
  (x, y), (base, model) = data(128, size), build(size, False)
  start = time.perf_counter()
  if by_hand:
    features = base.predict(x, batch_size=32, verbose=0)
    head = keras.Sequential([keras.layers.Dense(CLASSES, activation='softmax')])
    head.compile('adam', 'categorical_crossentropy')
    head.fit(features, y, epochs=10, batch_size=32, verbose=0)
  else:
    model.fit(x, y, epochs=10, batch_size=32, verbose=0)
  return time.perf_counter() - start


works = {
  'full step': lambda size: step(size, True), 'head step': lambda size: step(size, False), 'first step': first_step,
  'extraction': lambda size: extraction(size, False), 'extraction by hand': lambda size: extraction(size, True),
}

print(json.dumps({'version': f'Keras {keras.__version__} compiled'}), flush=True)
for line in sys.stdin:
  request = json.loads(line)
  print(json.dumps({'seconds': works[request['work']](request['size'])}), flush=True)
