"""The Keras 3 side of bench/train: reads {"work": …} lines, does each once, answers {"seconds": …} and what else compares."""
import json
import os
import resource
import sys
import time

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
import keras
import numpy as np

CLASSES, BATCH = 10, 8
models = {}


def build(family, size, change=None):
  """A network of keras.applications with a new head; `change` is a convolution on its last feature map."""
  options = {'input_shape': (size, size, 3), 'weights': None, 'include_top': False, 'pooling': None if change else 'avg'}
  base = getattr(keras.applications, family)(**options)
  x = base.output
  if change:
    x = keras.layers.Conv2D(64, 3, activation='relu', name='added')(x)
    x = keras.layers.GlobalAveragePooling2D(name='added_pool')(x)
  return keras.Model(base.input, keras.layers.Dense(CLASSES, activation='softmax', name='head')(x))


def freeze(model, open_layers):
  """All layers but the last so many that hold weights; None leaves all open."""
  if open_layers is None:
    return
  weighted = [layer for layer in model.layers if layer.weights]
  for layer in weighted[:len(weighted) - open_layers]:
    layer.trainable = False


def pixels(count, size):
  """The same numbers as bench/train/graft.ts: three waves."""
  i = np.arange(count * size * size * 3, dtype='float64')
  waves = np.sin(i * 0.37) * np.cos(i / (size * 3)) * np.sin(i / (size * size * 3) + 1)
  return (0.5 + 0.5 * waves).astype('float32').reshape(count, size, size, 3)


def data(count, size):
  return pixels(count, size), np.eye(CLASSES, dtype='float32')[np.arange(count) % CLASSES]


def save(family, size, change=None, file=None, **_):
  model = models[family, size, bool(change)] = build(family, size, change)
  model.save(file)
  return {'seconds': 0}


def fresh(family, size, change, file, open_layers):
  model = keras.models.load_model(file, compile=False)
  freeze(model, open_layers)
  model.compile('adam', 'categorical_crossentropy')
  return model


warm = {}


def step(family, size, file, open_layers=None, **_):
  key = file, open_layers
  if key not in warm:
    model, (x, y) = fresh(family, size, None, file, open_layers), data(BATCH, size)
    model.train_on_batch(x, y)
    warm[key] = lambda: model.train_on_batch(x, y)
  start = time.perf_counter()
  for _ in range(3):
    warm[key]()
  return {'seconds': (time.perf_counter() - start) / 3}


def first_step(family, size, file, **_):
  x, y = data(BATCH, size)
  start = time.perf_counter()
  model = build(family, size)
  model.compile('adam', 'categorical_crossentropy')
  model.train_on_batch(x, y)
  return {'seconds': time.perf_counter() - start}


def workflow(family, size, file, change=None, open_layers=1, epochs=10, images=128, by_hand=False, **_):
  """The open layers learn; `by_hand` takes the features out once before, as an expert does."""
  (x, y), model = data(images, size), fresh(family, size, change, file, open_layers)
  start = time.perf_counter()
  if by_hand:
    # What is open is a chain of layers at the end; whatever stands before it is computed once.
    first = [layer for layer in model.layers if layer.weights][-open_layers]
    features = keras.Model(model.input, first.input).predict(x, batch_size=32, verbose=0)
    rest = keras.Sequential([keras.layers.Input(features.shape[1:]), *model.layers[model.layers.index(first):]])
    rest.compile('adam', 'categorical_crossentropy')
    history = rest.fit(features, y, epochs=epochs, batch_size=32, shuffle=False, verbose=0)
  else:
    history = model.fit(x, y, epochs=epochs, batch_size=32, shuffle=False, verbose=0)
  return {'seconds': time.perf_counter() - start, 'losses': history.history['loss']}


def predict(family, size, file, **_):
  key = 'predict', file
  if key not in warm:
    model, (x, _) = fresh(family, size, None, file, None), data(32, size)
    model.predict(x, batch_size=32, verbose=0)
    warm[key] = lambda: model.predict(x, batch_size=32, verbose=0)
  start = time.perf_counter()
  warm[key]()
  return {'seconds': time.perf_counter() - start}


def memory(**_):
  return {'seconds': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20}


works = {'save': save, 'step': step, 'first step': first_step, 'workflow': workflow, 'predict': predict, 'memory': memory}

print(json.dumps({'version': f'Keras {keras.__version__} compiled'}), flush=True)
for line in sys.stdin:
  request = json.loads(line)
  print(json.dumps(works[request.pop('work')](**request)), flush=True)
