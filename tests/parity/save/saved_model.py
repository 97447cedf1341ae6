"""Opens what tests/parity/save-saved-model.test.ts saved, in every way that TensorFlow has, and prints what differs as JSON."""
import ctypes
import glob
import json
import os
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf
import tensorflow_hub

folder = pathlib.Path(sys.argv[1])


def lite(path, x):
    converter = tf.lite.TFLiteConverter.from_saved_model(path)
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    at = interpreter.get_input_details()[0]['index']
    interpreter.resize_tensor_input(at, x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(at, x)
    interpreter.invoke()
    return [interpreter.get_tensor(each['index']) for each in interpreter.get_output_details()]


def session(path, x):
    with tf.Graph().as_default(), tf.compat.v1.Session() as it:
        signature = tf.compat.v1.saved_model.load(it, ['serve'], path).signature_def['serving_default']
        (given,) = signature.inputs.values()
        return it.run([signature.outputs[key].name for key in sorted(signature.outputs)], {given.name: x})


def from_c(path):
    """The loader that TensorFlow Serving calls: no Python in it. Tells what went wrong."""
    library = ctypes.CDLL(glob.glob(os.path.join(os.path.dirname(tf.__file__), 'libtensorflow_cc.so.2'))[0])
    for name in ('TF_NewStatus', 'TF_NewSessionOptions', 'TF_NewGraph', 'TF_LoadSessionFromSavedModel'):
        getattr(library, name).restype = ctypes.c_void_p
    library.TF_Message.restype = ctypes.c_char_p
    status, tags = ctypes.c_void_p(library.TF_NewStatus()), (ctypes.c_char_p * 1)(b'serve')
    library.TF_LoadSessionFromSavedModel(ctypes.c_void_p(library.TF_NewSessionOptions()), None, path.encode(), tags, 1,
                                         ctypes.c_void_p(library.TF_NewGraph()), None, status)
    return library.TF_Message(status).decode() if library.TF_GetCode(status) else None


def check(case):
    path, errors, wrong = str(folder / case['name'] / '1'), {}, []
    xs = [np.array(x, 'float32').reshape(shape) for x, shape in zip(case['inputs'], case['shapes'])]

    def compare(way, got):
        got = list(got) if isinstance(got, (list, tuple)) else [got]
        wanted = [np.array(each, 'float32') for each in case['outputs']]
        errors[way] = max(float(np.abs(np.asarray(a).ravel() - b).max() / max(1, np.abs(b).max())) for a, b in zip(got, wanted, strict=True))

    model = tf.saved_model.load(path)
    given = [tf.constant(x) for x in xs]
    compare('call', model(given[0] if len(given) == 1 else given))
    serve = model.signatures['serving_default']
    names = sorted(serve.structured_input_signature[1])
    if len(xs) == 1:
        served = serve(**{names[0]: given[0]})
        # Of several outputs the names decide the order, in which the layers need not be.
        outputs = [served[key] for key in sorted(served)]
        if len(outputs) == 1:
            compare('signature', outputs)
            compare('session', session(path, xs[0]))
        compare('TFSMLayer', keras.layers.TFSMLayer(path)(xs[0]))
        if case['lite']:
            compare('TensorFlow Lite', lite(path, xs[0]))
        problem = from_c(path)
        if problem:
            wrong.append(problem)
        layer = tensorflow_hub.KerasLayer(path, trainable=True)
        before = [variable.numpy() for variable in layer.variables]
        with tf.GradientTape() as tape:
            loss = sum(tf.reduce_sum(tf.square(each)) for each in tf.nest.flatten(layer(xs[0], training=True)))
        gradients = tape.gradient(loss, layer.trainable_variables)
        if any(gradient is None for gradient in gradients):
            wrong.append('a variable without a gradient')
        if len(gradients) != case['trainable'] or len(before) != case['variables']:
            wrong.append(f'{len(gradients)} of {len(before)} variables train')
        if len(model.regularization_losses) != case['losses'] or any(loss() <= 0 for loss in model.regularization_losses):
            wrong.append(f'{len(model.regularization_losses)} penalties')
        moved = any((a != b.numpy()).any() for a, b in zip(before, layer.variables))
        if moved != case['moving']:
            wrong.append('training moved the statistics' if moved else 'training did not move the statistics')
    return {'name': case['name'], 'errors': errors, 'wrong': wrong}


print(json.dumps([check(case) for case in json.loads((folder / 'cases.json').read_text())]))
