"""Opens and writes models with the real Keras 3 and tf_keras, for bench/save/matrix.ts.

    matrix.py FOLDER   reads FOLDER/cases.json; writes FOLDER/results.json, and each model as both libraries write it
"""
import json
import os
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import numpy as np
import keras
import tf_keras

LIBRARIES = {'Keras 3': keras, 'tf_keras': tf_keras}
folder = sys.argv[1]
sys.path.insert(0, folder)
if os.path.exists(os.path.join(folder, 'graft_layers.py')):
    import graft_layers  # noqa: F401


def read(name, shape):
    return np.fromfile(os.path.join(folder, name), '<f4').reshape(shape)


def outputs(model, inputs):
    result = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(each) for each in (result if isinstance(result, (list, tuple)) else [result])]


def error(model, case):
    got = outputs(model, [read(file, shape) for file, shape in case['inputs']])
    wanted = [read(file, each.shape) for file, each in zip(case['outputs'], got)]
    return max(float(np.abs(a - b).max() / max(1, np.abs(b).max())) for a, b in zip(got, wanted))


def steps(model, case):
    (file, shape), = case['inputs']
    x = read(file, shape)
    y = np.eye(model.output_shape[-1], dtype='float32')[np.arange(len(x)) % model.output_shape[-1]]
    return [float(loss) for loss in model.fit(x, y, batch_size=len(x), epochs=5, shuffle=False, verbose=0).history['loss']]


with open(os.path.join(folder, 'cases.json')) as file:
    cases = json.load(file)
results = []
for case in cases:
    name = case['name']
    for library, kind in (('Keras 3', '.keras'), ('Keras 3', '.h5'), ('Keras 3', '.weights.h5'), ('tf_keras', '.h5')):
        k, entry = LIBRARIES[library], {'name': name, 'library': library, 'format': kind}
        try:
            path = os.path.join(folder, case['file'] + ('.tf_keras.h5' if library == 'tf_keras' else kind))
            if kind == '.weights.h5':
                # A model of the same layers with other weights.
                model = k.models.load_model(os.path.join(folder, case['file'] + '.keras'), compile=False)
                model.set_weights([np.zeros_like(each) for each in model.get_weights()])
                model.load_weights(path)
            else:
                model = k.models.load_model(path)
            entry['error'] = error(model, case)
            if kind in ('.keras',) or library == 'tf_keras':
                for extension in ('.keras', '.h5'):
                    try:
                        model.save(os.path.join(folder, f"{library.replace(' ', '')}_{case['file']}{extension}"))
                    except Exception as failure:
                        entry['unsaved ' + extension] = str(failure).split('\n')[0][:200]
                if case['trains']:
                    entry['losses'] = steps(model, case)
        except Exception as failure:
            entry['failure'] = f'{type(failure).__name__}: {failure}'.split('\n')[0][:200]
        results.append(entry)
with open(os.path.join(folder, 'results.json'), 'w') as file:
    json.dump({'versions': {'Keras 3': keras.__version__, 'tf_keras': tf_keras.__version__}, 'results': results}, file)
