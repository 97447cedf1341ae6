"""A pool of letter pictures to train on: drawn once, kept as one array in a cache file outside the repository."""
import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import drawing
import fonts

SIZE = 96
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
# A lone lower-case l and a capital I are the same picture in most sans-serif typefaces.
CHARACTERS = [(index, character) for index, letter in enumerate(LETTERS)
              for character in (letter, letter.lower()) if character != 'l']


def part(seed, count):
  """`count` pictures and their classes (0 for A … 25 for Z) drawn from one seed."""
  rng = np.random.default_rng(seed)
  files = [path for _, path in fonts.paths('letters')]
  images, labels = np.empty((count, SIZE, SIZE, 3), np.uint8), np.empty(count, np.int32)
  for i in range(count):
    labels[i], character = CHARACTERS[rng.integers(len(CHARACTERS))]
    images[i] = drawing.draw(rng, files[rng.integers(len(files))], character, SIZE)
  return images, labels


def letters(count, cache, per_part=1000):
  """The pool of `count` pictures as (uint8 images, labels), drawn on all cores the first time."""
  names = [os.path.join(cache, f'letters-{count}-{kind}.npy') for kind in ('images', 'labels')]
  if not all(map(os.path.exists, names)):
    os.makedirs(cache, exist_ok=True)
    parts = count // per_part
    with ProcessPoolExecutor() as workers:
      drawn = list(workers.map(part, range(1000, 1000 + parts), [per_part] * parts))
    for name, arrays in zip(names, zip(*drawn)):
      np.save(name, np.concatenate(arrays))
  return [np.load(name) for name in names]
