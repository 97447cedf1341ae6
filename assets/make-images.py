"""Draws the bundled images into notebooks/images: letters, digits, textures, photos, and the manifest: see README.md here.

python assets/make-images.py
"""
import json
import os
import shutil

import numpy as np
from PIL import Image

import drawing
import fonts
import handwriting
import pool
import textures

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = os.path.join(HERE, '..', 'notebooks', 'images')
LETTERS_PER_CLASS, PER_CLASS = 12, 20


def save(pixels, *path):
  """Writes a PNG of 64 colours, a third of the bytes of one in full colour."""
  file = os.path.join(IMAGES, *path)
  os.makedirs(os.path.dirname(file), exist_ok=True)
  image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
  image.quantize(64, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(file, optimize=True)
  return '/'.join(path)


def side(rng):
  """Pictures of several sizes, as a folder of real ones has."""
  return int(rng.choice([64, 72, 80, 96]))


def letters(used):
  files = fonts.paths('letters')
  for index, letter in enumerate(pool.LETTERS):
    for i in range(LETTERS_PER_CLASS):
      rng = np.random.default_rng([1, index, i])
      characters = [character for at, character in pool.CHARACTERS if at == index]
      package, path = files[rng.integers(len(files))]
      picture = drawing.draw(rng, path, characters[i % len(characters)], side(rng))
      used[save(picture, 'letters', letter, f'{i:02}.png')] = f'{package}/{os.path.basename(path)}'


def digits(used):
  for seed, half in ((2, 'train'), (3, 'test')):
    files = fonts.paths(f'digits-{half}')
    for digit in range(10):
      for i in range(PER_CLASS):
        rng = np.random.default_rng([seed, digit, i])
        package, path = files[i % len(files)]
        picture = drawing.draw(rng, path, str(digit), side(rng))
        name = package.removeprefix('fonts-') + '.png'
        used[save(picture, 'digits', half, str(digit), name)] = f'{package}/{os.path.basename(path)}'


def far():
  for seed, half in ((4, 'train'), (5, 'test')):
    for index, kind in enumerate(textures.KINDS):
      for i in range(PER_CLASS):
        rng = np.random.default_rng([seed, index, i])
        save(textures.draw(rng, kind, side(rng)), 'textures', half, kind, f'{i:02}.png')


def photos():
  save(handwriting.photo(np.random.default_rng(7), 7), 'photo-of-a-seven.png')
  save(handwriting.photo(np.random.default_rng(4), 4), 'photo-of-a-four.png')


def main():
  for name in ('letters', 'digits', 'textures'):
    shutil.rmtree(os.path.join(IMAGES, name), ignore_errors=True)
  used = {}
  letters(used)
  digits(used)
  far()
  photos()
  manifest = {'fonts': {name: [{'package': package, 'licence': licence, 'files': files} for package, licence, files in named]
                        for name, named in fonts.FONTS.items()}, 'images': used}
  with open(os.path.join(IMAGES, 'manifest.json'), 'w') as file:
    json.dump(manifest, file, indent=1, ensure_ascii=False)
    file.write('\n')


if __name__ == '__main__':
  main()
