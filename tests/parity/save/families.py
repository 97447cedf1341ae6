"""Keras's own image networks, written by the real Keras 3 and tf_keras, for tests/parity/save-families.test.ts and
bench/save/applications.ts.

    families.py names                 prints the names of all networks that both libraries have
    families.py write FOLDER NAME...  writes those that are not there: NAME_LIBRARY.keras, .h5, a batch and its logits
    families.py read FOLDER           opens each file of FOLDER/cases.json; prints how far its logits are from those before
"""
import json
import os
import sys

import numpy as np
from libraries import LIBRARIES, cases_in, keep_measured

# The least that the network takes, where that is above 96.
SIZES = {'InceptionResNetV2': 139}


def scatter(model, random):
    """Statistics, scales and offsets that a training could leave; none of them is what a layer begins with."""
    for layer in model.layers:
        if type(layer).__name__ in ('BatchNormalization', 'LayerNormalization', 'LayerScale', 'Normalization') and layer.weights:
            layer.set_weights([
                value if 'count' in weight.name
                else random.normal(0, 0.1, value.shape) if 'beta' in weight.name or 'mean' in weight.name
                else random.uniform(0.5, 1.5, value.shape)
                for weight, value in zip(layer.weights, layer.get_weights())
            ])
    keep_measured(model)


def write(folder, names):
    os.makedirs(folder, exist_ok=True)
    for name in names:
        for library, k in LIBRARIES.items():
            at = os.path.join(folder, f'{name}_{library}')
            if os.path.exists(at + '.json'):
                continue
            k.utils.set_random_seed(7)
            size, random = SIZES.get(name, 96), np.random.default_rng(7)
            model = getattr(k.applications, name)(weights=None, classes=10, classifier_activation=None, input_shape=(size, size, 3))
            scatter(model, random)
            images = random.uniform(0, 255, (2, size, size, 3)).astype('<f4')
            logits = np.asarray(model(images, training=False))
            images.tofile(at + '.x')
            logits.tofile(at + '.y')
            model.save(at + '.keras')
            model.save(at + '.h5')
            with open(at + '.json', 'w') as file:
                json.dump({'size': size, 'parameters': model.count_params()}, file)


def read(folder):
    found = []
    for case in cases_in(folder):
        try:
            model = LIBRARIES[case['library']].models.load_model(os.path.join(folder, case['file']), compile=False)
            images = np.fromfile(case['x'], '<f4').reshape(2, *model.input_shape[1:])
            logits = np.asarray(model(images, training=False))
            wanted = np.fromfile(case['y'], '<f4').reshape(logits.shape)
            found.append(float(np.abs(logits - wanted).max() / np.abs(wanted).max()))
        except Exception as error:
            found.append(f'{type(error).__name__}: {error}'[:1000])
    print(json.dumps(found))


def names():
    networks = [{name for name in dir(k.applications) if callable(getattr(k.applications, name))} for k in LIBRARIES.values()]
    print(json.dumps(sorted(set.intersection(*networks))))


if __name__ == '__main__':
    {'names': names, 'write': lambda folder, *wanted: write(folder, wanted), 'read': read}[sys.argv[1]](*sys.argv[2:])
