"""One model in a fresh process: `python with_tensorflow.py FOLDER/NAME` prints how long TensorFlow takes to load it, as JSON."""
import json
import os
import sys
import time

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = ''
with open('/proc/self/stat') as file:
  started = int(file.read().rsplit(')', 1)[1].split()[19]) / os.sysconf('SC_CLK_TCK')

import numpy as np
import tensorflow as tf

prefix = sys.argv[1]
with open(prefix + '.json') as file:
  _, *size = json.load(file)['input']
x = np.fromfile(prefix + '.f32', 'float32')[:np.prod(size)].reshape(1, *size)
begin = time.perf_counter()
if os.path.exists(os.path.join(prefix, 'tfhub_module.pb')):
  session = tf.compat.v1.Session(graph=tf.Graph())
  with session.graph.as_default():
    signature = tf.compat.v1.saved_model.load(session, [], prefix).signature_def['default']
  (image,), (features,) = signature.inputs.values(), signature.outputs.values()
  predict = lambda: session.run(features.name, {image.name: x})
else:
  model = tf.saved_model.load(prefix)
  predict = lambda: list(model.signatures['serving_default'](tf.constant(x)).values())[0].numpy()
loading = time.perf_counter() - begin
predict()
with open('/proc/uptime') as file:
  ready = float(file.read().split()[0]) - started
print(json.dumps({'loading': loading * 1000, 'ready': ready * 1000}))
