"""Seconds that image_dataset_from_directory takes for the first and for the second pass over a folder, as JSON."""
import json
import sys
import time

import keras

begun = time.perf_counter()
data = keras.utils.image_dataset_from_directory(sys.argv[1], image_size=(224, 224), batch_size=32, shuffle=False)
times = []
for _ in range(2):
  for pixels, labels in data:
    pixels.numpy()
  times.append(time.perf_counter() - begun - sum(times))
print(json.dumps(times))
