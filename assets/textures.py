"""Procedural textures in colour: pictures far from any letter, so that the distance between two domains can be seen."""
import numpy as np
from PIL import Image

from drawing import blend, clouds


def plane(rng, size, low, high):
  """Coordinates x and y over the picture, turned at random and scaled to between `low` and `high` units along a side."""
  angle, units = rng.uniform(0, 2 * np.pi), rng.uniform(low, high)
  y, x = (np.mgrid[0:size, 0:size] / size - 0.5) * units
  shift = rng.uniform(0, 1, 2)
  return np.cos(angle) * x + np.sin(angle) * y + shift[0], np.cos(angle) * y - np.sin(angle) * x + shift[1]


def soft(value, sharpness=8):
  """A soft threshold at 0, in [0, 1]."""
  return 1 / (1 + np.exp(-sharpness * np.clip(value, -6, 6)))


def octaves(rng, size, cells):
  """Noise of three sizes, in [0, 1]."""
  return sum(clouds(rng, size, cells * 2 ** i) / 2 ** (i + 1) for i in range(3)) / 0.875


def bricks(rng, size):
  x, y = plane(rng, size, 4, 8)
  row = np.floor(y * 2)
  along, up = (x + row / 2) % 1, (y * 2) % 1
  joint = np.minimum(np.minimum(along, 1 - along) * 2, np.minimum(up, 1 - up))
  return soft(joint - 0.1, 30) * (0.75 + 0.25 * np.sin(row * 7 + np.floor(x + row / 2) * 5))


def checker(rng, size):
  x, y = plane(rng, size, 2, 6)
  return soft(np.sin(x * 2 * np.pi) * np.sin(y * 2 * np.pi), 12)


def dots(rng, size):
  x, y = plane(rng, size, 3, 8)
  return soft(rng.uniform(0.25, 0.4) - np.hypot(x % 1 - 0.5, y % 1 - 0.5), 30)


def marble(rng, size):
  x, _ = plane(rng, size, 1, 3)
  return np.abs(np.sin(np.pi * (x + 2.5 * octaves(rng, size, 4)))) ** 0.6


def rings(rng, size):
  y, x = np.mgrid[0:size, 0:size] / size - rng.uniform(0.2, 0.8, 2)[:, None, None]
  return soft(np.sin(np.hypot(x, y) * rng.uniform(25, 60)), 4)


def speckles(rng, size):
  return soft(octaves(rng, size, rng.integers(8, 16)) - rng.uniform(0.5, 0.6), 25)


def stripes(rng, size):
  x, _ = plane(rng, size, 3, 9)
  return soft(np.sin(x * 2 * np.pi) + rng.uniform(-0.3, 0.3), 5)


def wood(rng, size):
  x, y = plane(rng, size, 4, 8)
  grain = np.asarray(Image.fromarray(rng.uniform(0, 1, (3, 3)).astype(np.float32)).resize((size, size), Image.BICUBIC))
  return (x + 0.1 * np.sin(y) + 3 * grain) % 1 * 0.7 + 0.3 * octaves(rng, size, 6)


KINDS = {'bricks': bricks, 'checker': checker, 'dots': dots, 'marble': marble, 'rings': rings, 'speckles': speckles,
         'stripes': stripes, 'wood': wood}


def draw(rng, kind, size):
  """One texture as a uint8 array of shape [size, size, 3], in two random colours under uneven light."""
  while True:
    first, second = rng.uniform(0, 1, (2, 3))
    if np.abs(first - second).sum() > 0.6:
      break
  picture = blend(KINDS[kind](rng, size), first, second) * blend(clouds(rng, size, 3), np.float32(0.75), np.float32(1.1))
  return np.uint8(np.clip(picture + rng.normal(0, 0.012, picture.shape), 0, 1) * 255)
