"""Both libraries of Keras, quiet and on the processor alone, and the cases that a test has left for a script."""
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import keras
import tf_keras

LIBRARIES = {'keras3': keras, 'tf_keras': tf_keras}


def cases_in(folder):
    """The cases of FOLDER/cases.json; the layers that Keras lacks are known from then on."""
    if os.path.exists(os.path.join(folder, 'graft_layers.py')):
        sys.path.insert(0, folder)
        import graft_layers  # noqa: F401
    with open(os.path.join(folder, 'cases.json')) as file:
        return json.load(file)


def keep_measured(model):
    """Keras 3 computes with a copy of what was measured: it is made anew once the weights are set."""
    for layer in model.layers:
        if hasattr(layer, 'finalize_state'):
            layer.finalize_state()
