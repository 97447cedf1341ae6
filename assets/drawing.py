"""Draws one glyph as a photograph might show it: any colours, any background, turned, sheared, blurred, noisy."""
import functools

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont


@functools.lru_cache(maxsize=None)
def glyph(path, character):
  """The glyph as a grey mask, tightly cropped, 112 pixels in its longer direction."""
  font = ImageFont.truetype(path, 160)
  left, top, right, bottom = font.getbbox(character)
  mask = Image.new('L', (right - left + 8, bottom - top + 8))
  ImageDraw.Draw(mask).text((4 - left, 4 - top), character, font=font, fill=255)
  mask = mask.crop(mask.getbbox())
  scale = 112 / max(mask.size)
  return mask.resize([max(1, round(side * scale)) for side in mask.size], Image.LANCZOS)


def placed(rng, mask, size):
  """The mask somewhere on a square canvas, turned up to 20°, sheared and stretched, as an array in [0, 1]."""
  angle, shear = np.radians(rng.uniform(-20, 20)), rng.uniform(-0.25, 0.25)
  stretch = np.exp(rng.uniform(-0.2, 0.2))
  turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
  forward = turn @ np.array([[1, shear], [0, 1]]) @ np.diag([stretch, 1 / stretch])
  width, height = mask.size
  corners = forward @ (np.array([[1, 1], [-1, 1]]) * [[width / 2], [height / 2]])
  extent = np.abs(corners).max(axis=1)
  scale = rng.uniform(0.5, 0.92) * size / 2 / extent.max()
  forward, slack = forward * scale, size / 2 - extent * scale
  centre = size / 2 + rng.uniform(-1, 1, 2) * slack
  back = np.linalg.inv(forward)
  offset = np.array([width / 2, height / 2]) - back @ centre
  coefficients = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
  return np.asarray(mask.transform((size, size), Image.AFFINE, coefficients, Image.BICUBIC), np.float32) / 255


def ramp(rng, size):
  """A linear gradient from 0 to 1 in a random direction."""
  angle = rng.uniform(0, 2 * np.pi)
  y, x = np.mgrid[0:size, 0:size] / (size - 1) - 0.5
  return (np.cos(angle) * x + np.sin(angle) * y) / 1.42 + 0.5


def clouds(rng, size, cells):
  """Smooth noise in [0, 1] with `cells` bumps along a side."""
  coarse = Image.fromarray(rng.integers(0, 256, (cells, cells), dtype=np.uint8))
  return np.asarray(coarse.resize((size, size), Image.BICUBIC), np.float32) / 255


def stripes(rng, size):
  """Parallel bands with soft edges, in [0, 1]."""
  return 0.5 + 0.5 * np.clip(3 * np.sin(ramp(rng, size) * rng.uniform(8, 40) + rng.uniform(0, 6)), -1, 1)


def blend(pattern, first, second):
  """Two colours mixed by a pattern in [0, 1]."""
  return first + pattern[..., None] * (second - first)


def background(rng, size, colour):
  """A background around one colour: flat, gradient, clouds, paper or bands."""
  kind = rng.choice(['flat', 'gradient', 'clouds', 'paper', 'bands'], p=[0.2, 0.25, 0.25, 0.15, 0.15])
  near = np.clip(colour + rng.uniform(-0.25, 0.25, 3), 0, 1)
  if kind == 'gradient':
    return blend(ramp(rng, size), colour, near)
  if kind == 'clouds':
    return blend(clouds(rng, size, rng.integers(3, 12)), colour, near)
  if kind == 'paper':
    return blend(clouds(rng, size, size // 2), colour, np.clip(colour + rng.uniform(-0.12, 0.12), 0, 1))
  if kind == 'bands':
    return blend(stripes(rng, size), colour, np.clip(colour + rng.uniform(-0.15, 0.15, 3), 0, 1))
  return np.broadcast_to(colour, (size, size, 3))


def two_colours(rng, contrast):
  """A stroke colour and a background colour whose brightness differs by at least `contrast`."""
  while True:
    colours = rng.uniform(0, 1, (2, 3))
    if abs(np.dot(colours[0] - colours[1], [0.3, 0.59, 0.11])) >= contrast:
      return colours


def draw(rng, path, character, size):
  """One picture of a character as a uint8 array of shape [size, size, 3]. Everything random comes from `rng`."""
  ink, paper = two_colours(rng, 0.25)
  mask = placed(rng, glyph(path, character), size)
  picture = background(rng, size, paper)
  if rng.random() < 0.15:
    shift = rng.integers(1, 4, 2)
    picture = blend(np.roll(mask, shift, (0, 1)) * 0.6, picture, np.clip(paper - 0.35, 0, 1))
  stroke = blend(clouds(rng, size, 4), ink, np.clip(ink + rng.uniform(-0.15, 0.15, 3), 0, 1)) if rng.random() < 0.3 else ink
  picture = blend(mask, picture, stroke)
  if rng.random() < 0.15:
    picture = np.clip(picture * blend(ramp(rng, size), np.float32(0.6), np.float32(1.15)), 0, 1)
  image = Image.fromarray(np.uint8(np.clip(picture, 0, 1) * 255 + 0.5))
  if rng.random() < 0.3:
    small = round(size * rng.uniform(0.45, 0.8))
    image = image.resize((small, small), Image.BILINEAR).resize((size, size), Image.BICUBIC)
  if rng.random() < 0.3:
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2) * size / 96))
  noise = rng.normal(0, rng.uniform(0, 0.05) * 255, (size, size, 3)) if rng.random() < 0.5 else 0
  return np.uint8(np.clip(np.asarray(image) + noise, 0, 255))
