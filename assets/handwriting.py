"""A digit in marker pen on a sheet of paper, as a telephone would photograph it: drawn stroke by stroke, from no typeface."""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from drawing import blend, clouds, ramp

# Corner points of the pen's way in the unit square, one list per stroke; the pen rounds them off.
STROKES = {
  4: [[(0.58, 0.12), (0.42, 0.36), (0.24, 0.60), (0.50, 0.60), (0.80, 0.57)], [(0.62, 0.34), (0.61, 0.60), (0.58, 0.90)]],
  7: [[(0.24, 0.20), (0.50, 0.19), (0.77, 0.16), (0.62, 0.45), (0.50, 0.68), (0.43, 0.90)]],
}


def curve(points, steps=60):
  """A Catmull-Rom spline through the points."""
  points = np.array([points[0], *points, points[-1]], float)
  t = np.linspace(0, 1, steps)[:, None]
  pieces = [0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3)
            for a, b, c, d in zip(points, points[1:], points[2:], points[3:])]
  return np.concatenate(pieces)


def photo(rng, digit, size=256):
  """The picture as a PIL image."""
  large = size * 3
  ink = Image.new('L', (large, large))
  pen = ImageDraw.Draw(ink)
  for stroke in STROKES[digit]:
    way = curve(np.array(stroke) + rng.normal(0, 0.012, (len(stroke), 2)))
    width = 0.036 + 0.006 * np.sin(np.linspace(0, rng.uniform(3, 7), len(way)))
    for (x, y), radius in zip(way * large, width * large):
      pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
  mask = np.asarray(ink.rotate(rng.uniform(-8, 8), Image.BICUBIC).resize((size, size), Image.LANCZOS), np.float32) / 255
  mask *= 0.8 + 0.2 * clouds(rng, size, 24)
  paper = blend(clouds(rng, size, 90), np.array([0.80, 0.77, 0.70]), np.array([0.88, 0.86, 0.79]))
  lines = np.exp(-((np.arange(size) * 8 / size + 0.4) % 1 - 0.5) ** 2 * 900)[:, None] * np.ones(size)
  paper = blend(lines * 0.45, paper, np.array([0.45, 0.60, 0.78]))
  picture = blend(mask, paper, np.array([0.10, 0.14, 0.42])) * blend(ramp(rng, size), np.float32(0.62), np.float32(1.08))
  picture = picture + rng.normal(0, 0.015, picture.shape)
  return Image.fromarray(np.uint8(np.clip(picture, 0, 1) * 255)).rotate(-4, Image.BICUBIC, fillcolor=(92, 66, 48)).filter(
    ImageFilter.GaussianBlur(0.8))
