"""Saves one model for each layer of Keras 3, for bench/save/layers.ts.

    layers.py FOLDER ONLY    writes FOLDER/<number>.keras, and FOLDER/cases.json with inputs, output and gradients,
                             of the cases whose title the regular expression ONLY finds
    layers.py FOLDER again   opens what Graft made of them, FOLDER/<number>.again.keras and .h5, and writes FOLDER/again.json
"""
import json
import os
import re
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import keras
import numpy as np
import tensorflow as tf
from keras import layers as L, ops

folder = sys.argv[1]
IMAGE, COLOR, SEQUENCE, VOLUME, VIDEO = (8, 8, 4), (8, 8, 3), (8, 4), (5, 5, 5, 2), (3, 8, 8, 2)
SEED = int(os.environ.get('SEED', 0))
cases = {}


def layer(name, shape=IMAGE, *args, inputs=1, title=None, **kwargs):
    def make():
        starts = [L.Input(shape) for _ in range(inputs)]
        return keras.Model(starts, getattr(L, name)(*args, **kwargs)(starts if inputs > 1 else starts[0]))
    say = [repr(each) for each in args] + [f'{key}={value!r}' for key, value in kwargs.items()]
    cases[title or f"{name}({', '.join(say)})"] = make


def operation(title, compute, *shapes):
    def make():
        starts = [L.Input(shape) for shape in shapes or (IMAGE,)]
        return keras.Model(starts, compute(*starts))
    cases[title] = make


for activation in ('celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu '
                   'sigmoid silu softmax soft_shrink softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh tanh_shrink').split():
    layer('Activation', IMAGE, activation)
layer('Dense', IMAGE, 3)
layer('Dense', IMAGE, 3, activity_regularizer='l2')
layer('EinsumDense', SEQUENCE, 'abc,cd->abd', output_shape=(None, 5), bias_axes='d')
layer('EinsumDense', IMAGE, '...x,xy->...y', output_shape=3, bias_axes='y', activation='relu', kernel_regularizer='l2')
layer('EinsumDense', SEQUENCE, 'abc,cde->abde', output_shape=(None, 2, 3), bias_axes='de')
layer('EinsumDense', IMAGE, 'ab...,bc->ac...', output_shape=(5,), bias_axes='c')
layer('EinsumDense', SEQUENCE, 'abc,bcd->abd', output_shape=(8, 5))
for settings in ({}, {'strides': 2, 'padding': 'same'}, {'dilation_rate': 2}, {'groups': 2}, {'data_format': 'channels_first'}):
    layer('Conv2D', IMAGE, 4, 3, **settings)
layer('Conv1D', SEQUENCE, 4, 3)
layer('Conv1D', SEQUENCE, 4, 3, padding='causal')
layer('Conv1D', SEQUENCE, 4, 3, groups=2)
layer('Conv3D', VOLUME, 2, 3)
layer('Conv3D', VOLUME, 2, 3, groups=2)
for settings in ({}, {'padding': 'same'}):
    layer('Conv3D', VOLUME, 2, 2, dilation_rate=2, **settings)
layer('Conv1D', SEQUENCE, 4, 3, dilation_rate=2)
layer('SeparableConv1D', SEQUENCE, 4, 3, dilation_rate=2)
for settings in ({}, {'strides': 2, 'padding': 'same'}, {'strides': 2, 'output_padding': 1}, {'dilation_rate': 2}):
    layer('Conv2DTranspose', IMAGE, 4, 3, **settings)
layer('Conv1DTranspose', SEQUENCE, 4, 3)
layer('Conv3DTranspose', VOLUME, 2, 3)
layer('DepthwiseConv2D', IMAGE, 3, depth_multiplier=2)
layer('DepthwiseConv2D', IMAGE, 3, dilation_rate=2)
layer('DepthwiseConv1D', SEQUENCE, 3)
layer('SeparableConv2D', IMAGE, 4, 3, strides=2, padding='same')
layer('SeparableConv2D', IMAGE, 4, 3, dilation_rate=2)
layer('SeparableConv1D', SEQUENCE, 4, 3)
for kind in ('Max', 'Average'):
    for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        layer(f'{kind}Pooling{rank}D', shape, 2)
        layer(f'Global{kind}Pooling{rank}D', shape)
    layer(f'{kind}Pooling2D', IMAGE, 3, 2, padding='same')
    layer(f'{kind}Pooling3D', VOLUME, 3, 2, padding='same')
    layer(f'Global{kind}Pooling2D', IMAGE, keepdims=True)
    layer(f'Adaptive{kind}Pooling2D', IMAGE, 2)
for settings in ({}, {'axis': 1}, {'scale': False}):
    layer('BatchNormalization', IMAGE, **settings)
for settings in ({}, {'axis': [1, 2, 3]}):
    layer('LayerNormalization', IMAGE, **settings)
layer('GroupNormalization', IMAGE, 2)
layer('UnitNormalization')
layer('RMSNormalization')
for inner in ('Conv2D(4, 3)', 'Dense(3)', "DepthwiseConv2D(3, padding='same')", 'Conv2DTranspose(3, 3)'):
    cases[f'SpectralNormalization({inner})'] = lambda inner=inner: keras.Sequential([L.Input(IMAGE), L.SpectralNormalization(eval(f'L.{inner}'))])
cases['SpectralNormalization(Conv2D(4, 3), power_iterations=3)'] = lambda: keras.Sequential([L.Input(IMAGE), L.SpectralNormalization(L.Conv2D(4, 3), power_iterations=3)])
for settings in ({}, {'axis': None}, {'invert': True}):
    layer('Normalization', COLOR, mean=1.5, variance=2.0, **settings)
for name in ('ReLU', 'LeakyReLU', 'PReLU', 'ELU', 'Softmax', 'Flatten', 'Identity', 'Rescaling', 'ActivityRegularization'):
    layer(name, IMAGE, *([0.5] if name == 'Rescaling' else []))
layer('Softmax', IMAGE, axis=1)
for name in ('Dropout', 'AlphaDropout', 'GaussianDropout', 'GaussianNoise', 'SpatialDropout2D'):
    layer(name, IMAGE, 0.5)
layer('SpatialDropout1D', SEQUENCE, 0.5)
layer('SpatialDropout3D', VOLUME, 0.5)
for name in ('ZeroPadding', 'Cropping', 'UpSampling'):
    for rank, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        layer(f'{name}{rank}D', shape, 2)
for interpolation in ('bilinear', 'bicubic'):
    layer('UpSampling2D', IMAGE, 2, interpolation=interpolation)
for settings in ({}, *({'interpolation': each} for each in ('nearest', 'bicubic', 'area')), {'crop_to_aspect_ratio': True}, {'pad_to_aspect_ratio': True}, {'antialias': True}):
    layer('Resizing', IMAGE, 4, 6, **settings)
layer('CenterCrop', IMAGE, 4, 4)
layer('Reshape', IMAGE, (16, 16))
layer('Permute', IMAGE, (3, 1, 2))
layer('RepeatVector', (4,), 3)
layer('Embedding', (4,), 9, 3)
for name in ('Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate'):
    layer(name, inputs=2)
layer('Concatenate', inputs=2, axis=1)
layer('Dot', (4,), 1, inputs=2)
for name, args in {'RandomCrop': (4, 4), 'RandomFlip': (), 'RandomRotation': (0.1,), 'RandomZoom': (0.1,), 'RandomTranslation': (0.1, 0.1), 'RandomBrightness': (0.1,), 'RandomContrast': (0.1,),
                   'RandomHue': (0.1,), 'RandomSaturation': (0.1,), 'RandomShear': (0.1,), 'RandomSharpness': (0.1,), 'RandomColorDegeneration': (0.1,), 'RandomGaussianBlur': (0.1,),
                   'RandomInvert': (0.1,), 'RandomGrayscale': (0.1,), 'RandomErasing': (), 'AugMix': (), 'RandAugment': (), 'MixUp': (), 'CutMix': (), 'AutoContrast': (), 'Solarization': ()}.items():
    layer(name, COLOR, *args)
for name in ('SimpleRNN', 'LSTM'):
    layer(name, SEQUENCE, 3)
layer('GRU', SEQUENCE, 3)
layer('GRU', SEQUENCE, 3, reset_after=False)
layer('ConvLSTM2D', VIDEO, 3, 3)
layer('ConvLSTM1D', (3, 8, 2), 3, 3)
layer('ConvLSTM1D', (3, 8, 2), 3, 3, padding='same', return_sequences=True)
cases['Bidirectional(LSTM(3))'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.Bidirectional(L.LSTM(3))])
cases['Bidirectional(GRU(3))'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.Bidirectional(L.GRU(3))])
for cell in ('LSTMCell(3)', 'GRUCell(3)', 'GRUCell(3, reset_after=False)', 'SimpleRNNCell(3)'):
    cases[f'RNN({cell})'] = lambda cell=cell: keras.Sequential([L.Input(SEQUENCE), L.RNN(eval(f'L.{cell}'), return_sequences=True)])
cases['RNN([LSTMCell(3), GRUCell(2)])'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.RNN([L.LSTMCell(3), L.GRUCell(2)])])
cases['TimeDistributed(Conv2D(3, 3))'] = lambda: keras.Sequential([L.Input(VIDEO), L.TimeDistributed(L.Conv2D(3, 3))])
cases['TimeDistributed(a model)'] = lambda: keras.Sequential([L.Input(VIDEO), L.TimeDistributed(keras.Sequential([L.Input(VIDEO[1:]), L.Conv2D(3, 3), L.Flatten()]))])
def within():
    start = L.Input(VIDEO[1:])
    return keras.Sequential([L.Input(VIDEO), L.TimeDistributed(keras.Model(start, L.Flatten()(L.Conv2D(3, 3)(start)) ))])
cases['TimeDistributed(a Functional model)'] = within
cases['Masking() in a Sequential model'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.Masking(), L.LSTM(3)])
def masked(*layers):
    """A Functional model: what is masked first, and layers after it."""
    def compute(x):
        for each in layers:
            x = each(x)
        return x
    return compute


operation('Masking() in a Functional model', lambda x: L.LSTM(3)(L.Masking()(x)), SEQUENCE)
operation('Masking(), Dense, GRU, pooling', lambda x: masked(L.Masking(), L.Dense(3), L.GRU(3, return_sequences=True), L.GlobalAveragePooling1D())(x), SEQUENCE)
operation('Masking(), LSTM, RepeatVector, LSTM', lambda x: masked(L.Masking(), L.LSTM(3), L.RepeatVector(4), L.LSTM(3))(x), SEQUENCE)
operation('Masking(), Bidirectional', lambda x: masked(L.Masking(), L.Bidirectional(L.LSTM(3)))(x), SEQUENCE)
operation('Masking() of two, Add, LSTM', lambda x, y: L.LSTM(3)(L.Add()([L.Masking()(x), L.Masking()(y)])), SEQUENCE, SEQUENCE)
operation('Masking() of one, Concatenate, LSTM', lambda x, y: L.LSTM(3)(L.Concatenate()([L.Masking()(x), y])), SEQUENCE, SEQUENCE)
operation('Masking(), BatchNormalization', lambda x: masked(L.Masking(), L.BatchNormalization())(x), SEQUENCE)
operation('Masking(), Attention', lambda x: (lambda y: L.Attention()([y, y]))(L.Masking()(x)), SEQUENCE)
operation('Masking(), MultiHeadAttention', lambda x: (lambda y: L.MultiHeadAttention(2, 4)(y, y))(L.Masking()(x)), SEQUENCE)
cases['Masking(), pooling in a Sequential model'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.Masking(), L.GlobalAveragePooling1D()])
cases['Masking(), BatchNormalization in a Sequential model'] = lambda: keras.Sequential([L.Input(SEQUENCE), L.Masking(), L.BatchNormalization()])
operation('Embedding(mask_zero=True), LSTM', lambda x: masked(L.Embedding(9, 3, mask_zero=True), L.LSTM(3))(x), (4,))
cases['Lambda'] = lambda: keras.Sequential([L.Input(IMAGE), L.Lambda(lambda x: x * 2)])
for name in ('Attention', 'AdditiveAttention'):
    layer(name, SEQUENCE, inputs=2)
    layer(name, SEQUENCE, inputs=3, title=f'{name}() of query, value and key')
layer('Attention', SEQUENCE, inputs=2, use_scale=True, score_mode='concat')
layer('Attention', SEQUENCE, inputs=2, use_scale=True)
layer('Attention', IMAGE, inputs=2)
layer('AdditiveAttention', SEQUENCE, inputs=2, use_scale=False)
operation('MultiHeadAttention(2, 4)', lambda x: L.MultiHeadAttention(2, 4)(x, x), SEQUENCE)
operation('MultiHeadAttention(2, 4) of an image', lambda x: L.MultiHeadAttention(2, 4)(x, x), (3, 3, 4))
operation('MultiHeadAttention(2, 4, attention_axes=1) of an image', lambda x: L.MultiHeadAttention(2, 4, attention_axes=1)(x, x), (3, 2, 4))
operation('MultiHeadAttention(2, 4, value_dim=3, use_gate=True, sliding_window=2)', lambda x: L.MultiHeadAttention(2, 4, value_dim=3, use_gate=True, sliding_window=2)(x, x), SEQUENCE)
operation('a block of a vision transformer', lambda x: L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]), SEQUENCE)
def vision_transformer(x):
    x = L.Reshape((16, 8))(L.Conv2D(8, 2, 2)(x))
    for _ in range(2):
        y = L.LayerNormalization(epsilon=1e-6)(x)
        x = L.Add()([x, L.MultiHeadAttention(2, 4)(y, y)])
        y = L.Dense(16, activation='gelu')(L.LayerNormalization(epsilon=1e-6)(x))
        x = x + L.Dense(8)(L.Dropout(0.1)(y))
    return L.Dense(3, activation='softmax')(L.GlobalAveragePooling1D()(x))


operation('a small vision transformer (Dropout)', vision_transformer, IMAGE)
operation('GroupQueryAttention(4, 4, 2)', lambda x: L.GroupQueryAttention(4, 4, 2)(x, x), SEQUENCE)
operation('GroupQueryAttention(4, 4, 2, use_gate=True)', lambda x: L.GroupQueryAttention(4, 4, 2, use_gate=True)(x, x), SEQUENCE)
operation('x * 2 + y, 1 - x / 3', lambda x, y: (x * 2 + y) * (1 - x / 3), IMAGE, IMAGE)
operation('x / y', lambda x, y: x / y, IMAGE, IMAGE)
operation('x ** 2', lambda x: x ** 2)
operation('-x', lambda x: -x)
operation('x[:, 1:3, :, :2]', lambda x: x[:, 1:3, :, :2])
operation('ops.reshape', lambda x: ops.reshape(x, (-1, 64, 4)))
operation('ops.transpose', lambda x: ops.transpose(x, (0, 3, 1, 2)))
operation('ops.mean over an image', lambda x: ops.mean(x, axis=(1, 2)))
operation('ops.max over an image', lambda x: ops.max(x, axis=(1, 2)))
operation('ops.softmax', ops.softmax)
operation('ops.clip(x, 0, 1)', lambda x: ops.clip(x, 0.0, 1.0))
operation('ops.image.resize', lambda x: ops.image.resize(x, (4, 4)))
operation('ops.exp', ops.exp)
operation('ops.sqrt', lambda x: ops.sqrt(x * x + 1.0))
operation('ops.matmul', ops.matmul, (3, 4), (4, 5))
operation('ops.normalize', ops.normalize)
operation('ops.split', lambda x: ops.split(x, 2, axis=-1)[0])
for title, compute in {
    '2 / x': lambda x: 2 / (x * x + 1.0), 'x[..., 0]': lambda x: x[..., 0], 'x[:, ::2, -1]': lambda x: x[:, ::2, -1], 'ops.sum(x, axis=-1, keepdims=True)': lambda x: ops.sum(x, axis=-1, keepdims=True),
    'ops.mean(x, axis=-1)': lambda x: ops.mean(x, axis=-1), 'ops.expand_dims': lambda x: ops.expand_dims(x, 1), 'ops.squeeze': lambda x: ops.squeeze(x[:, :1], 1),
    'ops.pad': lambda x: ops.pad(x, [[0, 0], [1, 1], [2, 2], [0, 0]]), 'ops.tile': lambda x: ops.tile(x, (1, 2, 1, 1)), 'ops.flip': lambda x: ops.flip(x, axis=1),
    'ops.leaky_relu': ops.leaky_relu, 'ops.log_softmax': ops.log_softmax, 'ops.gelu(x, approximate=False)': lambda x: ops.gelu(x, approximate=False), 'ops.abs': ops.abs, 'ops.clip(x, -1, 1)': lambda x: ops.clip(x, -1.0, 1.0),
}.items():
    operation(title, compute)



def listed(value):
    return [np.asarray(each, 'f4') for each in (value if isinstance(value, (list, tuple)) else [value])]


def again():
    with open(os.path.join(folder, 'cases.json')) as file:
        told = json.load(file)['cases']
    sys.path.insert(0, folder)
    if os.path.exists(os.path.join(folder, 'graft_layers.py')):
        import graft_layers
    found = []
    for number, case in enumerate(told):
        for extension in ('keras', 'h5'):
            path = os.path.join(folder, f'{number}.again.{extension}')
            if not os.path.exists(path):
                continue
            inputs = [np.array(each['values'], 'f4').reshape(each['shape']) for each in case['inputs']]
            try:
                model = keras.models.load_model(path, compile=False)
                output = listed(model(inputs if len(inputs) > 1 else inputs[0], training=False))[0].ravel()
                wanted = np.array(case['output'], 'f4')
                error = float(np.abs(output - wanted).max() / max(1, np.abs(wanted).max()))
                found.append([case['title'], extension, error, type(model.layers[-1]).__name__])
            except Exception as failure:
                try:
                    keras.models.load_model(os.path.join(folder, f'{number}.keras'), compile=False)
                except Exception:
                    continue  # Keras does not open what it wrote itself.
                found.append([case['title'], extension, None, str(failure)[:300]])
    with open(os.path.join(folder, 'again.json'), 'w') as file:
        json.dump(found, file)
    sys.exit()


# What these compute in training is random, but for the last: the variance that it moves is of n - 1 numbers here, as in tf_keras and
# in TensorFlow's own operation, and of n in Keras 3.
APART = re.compile('Dropout|Noise|Random|AugMix|RandAugment|MixUp|CutMix|Solarization|^BatchNormalization')


def step(model, inputs):
    """What a model computes in training, and leaves in its weights."""
    output = listed(model(inputs if len(inputs) > 1 else inputs[0], training=True))[0]
    return {'output': output.ravel().tolist(), 'weights': [np.asarray(each).ravel().tolist() for each in (*model.trainable_weights, *model.non_trainable_weights)]}


def gradients(model, inputs, seed):
    """Of the sum of the output, weighed at random, for the inputs and the weights that train."""
    starts = [tf.constant(each) for each in inputs]
    with tf.GradientTape() as tape:
        tape.watch(starts)
        output = model(starts if len(starts) > 1 else starts[0], training=False)
        output = output[0] if isinstance(output, (list, tuple)) else output
        weigh = np.random.default_rng(seed).uniform(-1, 1, output.shape).astype('f4')
        loss = tf.reduce_sum(output * weigh)
    weights = model.trainable_weights
    try:
        all_of = tape.gradient(loss, [*starts, *(each.value for each in weights)])
    except LookupError:  # TensorFlow has no gradient of resizing by area.
        all_of = [None] * (len(starts) + len(weights))
    numbers = [None if each is None else np.asarray(tf.convert_to_tensor(each)).ravel().tolist() for each in all_of]
    return {'weigh': weigh.ravel().tolist(), 'byInput': numbers[:len(starts)],
            'byWeight': [{'shape': list(each.shape), 'values': values} for each, values in zip(weights, numbers[len(starts):])]}


if sys.argv[2:] == ['again']:
    again()
only, written = re.compile(sys.argv[2]), []
for number, (title, make) in enumerate(each for each in cases.items() if only.search(each[0])):
    model, random = make(), np.random.default_rng(SEED + number)
    # In a deep network numbers of one sign would drown the gradient in rounding.
    low, high = (-0.4, 0.4) if 'transformer' in title else (0.2, 1)
    model.set_weights([random.uniform(low, high, each.shape).astype(each.dtype) if each.dtype.kind == 'f' else each for each in model.get_weights()])
    inputs = [random.integers(0, 9, (2, 4)).astype('f4') if 'Embedding' in title else random.normal(size=(2, *each.shape[1:])).astype('f4') for each in model.inputs]
    if 'Masking' in title:
        inputs[0][:, 2:4] = 0
    output = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    output = listed(output)[0]
    model.save(os.path.join(folder, f'{number}.keras'))
    slopes = gradients(model, inputs, number)
    written.append({'title': title, 'inputs': [{'shape': each.shape, 'values': each.ravel().tolist()} for each in inputs], 'output': output.ravel().tolist(), 'gradients': slopes, 'step': None if APART.search(title) else step(model, inputs)})
with open(os.path.join(folder, 'cases.json'), 'w') as file:
    json.dump({'version': keras.__version__, 'cases': written}, file)
