"""Opens saved models with the real Keras 3 and tf_keras, or lets them write models, for tests/parity/save.test.ts.

    with_keras.py read FOLDER   opens each model of FOLDER/cases.json and stores its outputs
    with_keras.py write FOLDER  writes models with both libraries, with inputs and outputs
"""
import json
import os
import sys
import traceback

import numpy as np
from libraries import LIBRARIES, cases_in, keep_measured
import keras
import tensorflow as tf
import tf_keras



def tensors(folder, names, shapes):
    return [np.fromfile(os.path.join(folder, name), '<f4').reshape(shape) for name, shape in zip(names, shapes)]


def outputs(model, inputs):
    # Called, not `predict`: that would compile a graph for each of many small models.
    result = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(each) for each in (result if isinstance(result, (list, tuple)) else [result])]


def trainable(model, parent=True):
    flags = {}
    for layer in model.layers:
        if hasattr(layer, 'layers'):
            flags.update(trainable(layer, parent and layer.trainable))
        elif layer.weights:
            flags[layer.name] = bool(parent and layer.trainable)
    return flags


def read(folder):
    results = []
    for case in cases_in(folder):
        for library, file in case['files'].items():
            entry = {'name': case['name'], 'library': library}
            try:
                model = LIBRARIES[library.split()[0]].models.load_model(os.path.join(folder, file))
                got = outputs(model, tensors(folder, case['inputs'], case['inputShapes']))
                want = [np.fromfile(os.path.join(folder, name), '<f4').reshape(each.shape) for name, each in zip(case['outputs'], got)]
                entry['error'] = float(max(np.abs(a - b).max() for a, b in zip(got, want)))
                entry['largest'] = float(max(np.abs(b).max() for b in want))
                entry['trainable'] = trainable(model)
                entry['parameters'] = int(model.count_params())
            except Exception as error:
                entry['failure'] = ''.join(traceback.format_exception_only(type(error), error))[:2000]
            results.append(entry)
    with open(os.path.join(folder, 'results.json'), 'w') as file:
        json.dump(results, file)


def scatter(model, seed):
    random = np.random.default_rng(seed)
    values = []
    for value, weight in zip(model.get_weights(), model.weights):
        if 'count' in weight.name:
            values.append(value)
        elif 'variance' in weight.name or 'gamma' in weight.name:
            values.append(random.uniform(0.5, 1.5, value.shape))
        else:
            values.append(random.normal(0, 1 / np.sqrt(max(1, np.prod(value.shape[:-1]))) if value.ndim > 1 else 0.2, value.shape))
    model.set_weights([np.asarray(value, before.dtype) for value, before in zip(values, model.get_weights())])
    keep_measured(model)


def architectures(k):
    layers = k.layers

    def chain(shape, *all_layers):
        x = inputs = layers.Input(shape)
        for layer in all_layers:
            x = layer(x)
        return k.Model(inputs, x)

    image, sequence = (8, 8, 3), (6, 4)
    yield 'mobilenet_v2', k.applications.MobileNetV2(input_shape=(64, 64, 3), alpha=0.35, weights=None, classes=7)
    frozen = k.applications.MobileNetV2(input_shape=(32, 32, 3), alpha=0.35, weights=None, include_top=False, pooling='avg')
    for layer in frozen.layers[:-3]:
        layer.trainable = False
    yield 'frozen_trunk', k.Model(frozen.input, layers.Dense(3, activation='softmax')(frozen.output))
    yield 'sequential', k.Sequential([layers.Input(image), layers.Conv2D(4, 3, activation='relu'), layers.Flatten(), layers.Dense(3, activation='softmax')])
    a, b = layers.Input((4,), name='a'), layers.Input((4,), name='b')
    shared = layers.Dense(5, activation='tanh')
    x, y = shared(a), shared(b)
    z = shared(layers.Dense(4)(x))
    yield 'branches', k.Model([a, b], [layers.Dense(3, activation='softmax')(layers.Concatenate()([layers.Multiply()([x, y]), z])), layers.Dense(1)(z)])
    inner = k.Sequential([layers.Input((8, 8, 4)), layers.Conv2D(4, 3, padding='same'), layers.BatchNormalization()], name='inner')
    inner.layers[0].trainable = False
    start = layers.Input((8, 8, 4))
    graph = k.Model(start, layers.ReLU(max_value=6.0)(layers.Conv2D(4, 1)(start)), name='graph')
    top = layers.Input(image)
    x = graph(inner(layers.Conv2D(4, 3, padding='same')(top), training=False))
    yield 'nested', k.Model(top, layers.Dense(3)(layers.GlobalAveragePooling2D()(layers.Add()([x, graph(x)]))))
    yield 'nested_end', k.Sequential([layers.Input((8, 8, 4)), inner, graph])
    yield 'convolutions', chain(image, layers.Conv2D(4, (3, 5), strides=2, padding='same', activation='elu'), layers.Conv2D(4, 2, dilation_rate=2),
                                layers.Conv2DTranspose(3, 3, strides=2, padding='same'),
                                layers.Conv2DTranspose(4, (3, 5), strides=2, padding='same', output_padding=(0, 1)), layers.Conv2DTranspose(2, 2, strides=(2, 3), output_padding=1))
    yield 'depthwise', chain(image, layers.DepthwiseConv2D(3, depth_multiplier=2), layers.SeparableConv2D(5, 3, depth_multiplier=2))
    yield 'normalizations', chain(image, layers.BatchNormalization(scale=False), layers.LayerNormalization(), layers.BatchNormalization(center=False, momentum=0.9))
    yield 'activations', chain(image, layers.LeakyReLU(), layers.PReLU(shared_axes=[1, 2]), layers.ReLU(max_value=1.0), layers.Softmax(),
                               *[layers.Activation(name) for name in ('swish', 'gelu', 'softplus', 'softsign', 'selu', 'tanh', 'mish')])
    yield 'pooling', chain(image, layers.MaxPooling2D(3, 2, padding='same'), layers.AveragePooling2D(2, 1, padding='same'), layers.GlobalMaxPooling2D())
    yield 'shapes', chain(image, layers.ZeroPadding2D(((1, 2), (3, 0))), layers.Cropping2D(1), layers.UpSampling2D((2, 3)), layers.Reshape((-1, 3)), layers.Permute((2, 1)), layers.Flatten(), layers.RepeatVector(2))
    yield 'noise', chain(image, layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.GaussianDropout(0.5), layers.Rescaling(2.0, -1.0))
    yield 'regularized', chain((4,), layers.Dense(3, kernel_regularizer=k.regularizers.L2(0.01), bias_regularizer=k.regularizers.L1(0.02), kernel_constraint=k.constraints.MaxNorm(2), kernel_initializer='he_normal'))
    yield 'embedding', chain((6,), layers.Embedding(9, 4), layers.Flatten(), layers.Dense(2))
    yield 'recurrent', chain(sequence, layers.LSTM(5, return_sequences=True), layers.GRU(4, reset_after=False, return_sequences=True), layers.SimpleRNN(3, go_backwards=True))
    yield 'bidirectional', chain(sequence, layers.Bidirectional(layers.LSTM(3, return_sequences=True)), layers.TimeDistributed(layers.Dense(2)))
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(5).uniform(0, 9, (4, 8, 8, 3)).astype('float32'))
    yield 'preprocessing', chain(image, layers.RandomFlip('horizontal'), layers.RandomRotation(0.1), layers.RandomContrast(0.2), layers.Rescaling([0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0]),
                                 adapted, layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]), layers.Resizing(5, 7))
    yield 'variants', chain(image, layers.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.1), layers.ELU(alpha=0.4), layers.SpatialDropout2D(0.3), layers.UpSampling2D(2, interpolation='bilinear'),
                            layers.Conv2D(6, 3, groups=3, activation='hard_sigmoid'), layers.GlobalAveragePooling2D(keepdims=True), layers.Conv2D(4, 1), layers.GlobalMaxPooling2D(keepdims=True))
    yield 'group_normalization', chain((8, 8, 6), layers.GroupNormalization(groups=3), layers.GroupNormalization(groups=-1, epsilon=0.01), layers.GroupNormalization(groups=2, scale=False))
    start = layers.Input(image)
    x = layers.Conv2D(3, 1, name='before')(start)
    ops = k.ops if k is keras else tf.nn
    yield 'op_nodes', k.Model(start, layers.Subtract()([layers.Conv2D(3, 1)(ops.relu6(1.0 - (x * 2 + start) / 3.0 - 0.25) * x - start), x]))
    yield 'softmax_axes', chain(image, layers.Softmax(axis=1), layers.Softmax())
    yield 'given_normalizations', chain(image, layers.Normalization(axis=None, mean=1.5, variance=2.0), layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0], invert=True))
    if k is keras:
        ops = k.ops
        start = layers.Input(image)
        x = ops.clip(ops.image.resize(ops.transpose(-start, (0, 2, 1, 3)), (6, 4)), 0.0, 2.0)
        yield 'ops_of_shape', k.Model(start, [ops.softmax(ops.reshape(x, (-1, 24, 3))), ops.max(x, axis=(1, 2)), ops.max(x, axis=(1, 2), keepdims=True)])
        yield 'keras3_activations', chain(image, layers.Activation('hard_silu'), layers.Activation('log_softmax'), layers.Identity())
    if k is tf_keras:  # Keras 3 writes masks as layers of their own, which are refused.
        yield 'masked', chain(sequence, layers.Masking(0.0), layers.LSTM(4))


def write(folder):
    cases = []
    for library, k in LIBRARIES.items():
        for seed, (name, model) in enumerate(architectures(k)):
            scatter(model, seed)
            random = np.random.default_rng(seed)
            inputs = [random.normal(size=(3, *each.shape[1:])).astype('float32') for each in model.inputs]
            if name == 'embedding':
                inputs = [random.integers(0, 9, each.shape).astype('float32') for each in inputs]
            if name == 'masked':
                inputs[0][:, :2] = 0
            got = outputs(model, inputs)
            case = {'name': name, 'library': library, 'files': [f'{library}_{name}.h5', f'{library}_{name}.keras'], 'inputs': [], 'inputShapes': [], 'outputs': [],
                    'trainable': trainable(model)}
            for kind, values in (('inputs', inputs), ('outputs', got)):
                for i, value in enumerate(values):
                    file = f'{library}_{name}_{kind}_{i}.bin'
                    value.astype('<f4').tofile(os.path.join(folder, file))
                    case[kind].append(file)
            case['inputShapes'] = [list(each.shape) for each in inputs]
            for file in case['files']:
                model.save(os.path.join(folder, file))
            cases.append(case)
    with open(os.path.join(folder, 'cases.json'), 'w') as file:
        json.dump(cases, file)


if __name__ == '__main__':
    {'read': read, 'write': write}[sys.argv[1]](sys.argv[2])
