"""Writes 20 JPEGs as cameras and phones do, 2 to 12 megapixels, and what Keras makes of them at 224 x 224."""
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import keras
import numpy as np
import tensorflow as tf
from PIL import Image

folder = sys.argv[1]
random = np.random.default_rng(20)
sizes = [(4032, 3024), (3024, 4032), (3000, 2000), (1920, 1080), (2448, 3264)]
with open(os.path.join(folder, 'expected.bin'), 'wb') as file:
  for i in range(20):
    width, height = sizes[i % 5]
    small = random.uniform(0, 255, (height // 40 + 1, width // 40 + 1, 3)).astype(np.uint8)
    image = np.asarray(Image.fromarray(small).resize((width, height), Image.BICUBIC), np.int16)
    grain = random.integers(-9, 10, (height, width, 1), dtype=np.int16)
    path = os.path.join(folder, f'{i}.jpg')
    image = Image.fromarray(np.clip(image + grain, 0, 255).astype(np.uint8))
    image.save(path, quality=75 + i, progressive=i % 3 == 0, subsampling=(0, 1, 2)[i % 3])
    pixels = keras.utils.img_to_array(keras.utils.load_img(path))
    file.write(np.rint(tf.image.resize(pixels, (224, 224), method='bilinear').numpy()).astype(np.uint8).tobytes())
