"""Grad-CAM by Keras's own gradient tape, and a classifier's measures by NumPy: python reference.py FOLDER (model.h5, given.json) → reference.json."""
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

folder = Path(sys.argv[1])
given = json.loads((folder / "given.json").read_text())
model = keras.models.load_model(folder / "model.h5", compile=False)
pixels = np.fromfile(folder / "pixels.bin", np.float32).reshape([-1, *model.input_shape[1:]])

# As in Keras's own example of Grad-CAM: the last layer without its softmax.
model.layers[-1].activation = None
inner = keras.Model(model.inputs, [model.get_layer(given["layer"]).output, model.outputs[0]])
with tf.GradientTape() as tape:
    maps, logits = inner(pixels, training=False)
    tape.watch(maps)
    score = tf.reduce_sum(tf.gather(logits, given["classes"], batch_dims=1))
gradients = tape.gradient(score, maps)
cam = tf.nn.relu(tf.reduce_sum(maps * tf.reduce_mean(gradients, [1, 2], keepdims=True), -1)).numpy()
cam /= np.maximum(cam.max((1, 2), keepdims=True), 1e-8)

probabilities, truth = np.array(given["probabilities"]), np.array(given["truth"])
said, sure, count = probabilities.argmax(1), probabilities.max(1), probabilities.shape[1]
matrix = np.zeros([count, count], int)
np.add.at(matrix, (truth, said), 1)
bins = np.clip(np.ceil(sure * 10 - 1e-9).astype(int) - 1, 0, 9)
error = sum(abs(sure[bins == b].mean() - (said == truth)[bins == b].mean()) * (bins == b).mean() for b in range(10) if (bins == b).any())
with np.errstate(invalid="ignore"):
    found, said_to_be = matrix.sum(1), matrix.sum(0)
    measures = {"recall": (matrix.diagonal() / found).tolist(), "precision": (matrix.diagonal() / said_to_be).tolist(),
                "f1": (2 * matrix.diagonal() / (found + said_to_be)).tolist()}
(folder / "reference.json").write_text(json.dumps({"cam": cam.ravel().tolist(), "matrix": matrix.tolist(), "error": float(error), **measures}))
