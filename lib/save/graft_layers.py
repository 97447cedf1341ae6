"""Layers that Graft knows and Keras lacks. Import it before `load_model` opens a file that holds one of them.

Nothing of a model's file is run: an operation of TensorFlow is looked up in the list below.
"""
import base64
import inspect
import json
import sys

# Operations without effect but their result.
OPERATIONS = frozenset('''
    Abs Add AddN AddV2 ArgMax ArgMin AvgPool BatchMatMulV2 BatchToSpaceND BiasAdd BroadcastTo Cast Ceil ClipByValue Concat ConcatV2
    Conv2D Conv2DBackpropInput Cos
    DepthToSpace DepthwiseConv2dNative Div DivNoNan Einsum Elu Equal Erf Exp ExpandDims Expm1 Fill Floor FloorDiv FloorMod
    FusedBatchNormV3 GatherV2 Greater GreaterEqual Identity LRN LeakyRelu Less LessEqual Log Log1p LogSoftmax LogicalAnd
    LogicalNot LogicalOr MatMul Max MaxPool Maximum Mean Min Minimum MirrorPad Mul Neg NotEqual OneHot Pack Pad PadV2 Pow Prod
    Range RealDiv Reciprocal Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt Select SelectV2 Selu
    Shape Sigmoid Sign Sin Slice Softmax Softplus Softsign SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze
    StridedSlice Sub Sum Tan Tanh Tile TopKV2 Transpose Unpack ZerosLike
'''.split())


def _value(attribute, tf):
    """An attribute in protobuf's JSON form as tf.raw_ops takes it."""
    (kind, value), = attribute.items() if attribute else (('list', {}),)
    if kind == 'type':
        return tf.as_dtype(getattr(tf.dtypes, value[3:].lower(), None) or value[3:].lower())
    if kind == 'i':
        return int(value)
    if kind == 's':
        return base64.b64decode(value)
    if kind == 'shape':
        return [int(each.get('size', 0)) for each in value.get('dim', [])]
    if kind == 'list':
        return [_value({name: each}, tf) for name, all_of in value.items() for each in all_of]
    return value


def _run(operation, operands):
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry
    name = operation['op']
    if name not in OPERATIONS:
        raise ValueError(f'The operation {name!r} is not among those that graft_layers runs.')
    function = getattr(tf.raw_ops, name)
    definition, rest, arguments = op_def_registry.get(name), list(operands), {}
    # The function calls some inputs otherwise than the operation's definition does; their order is the same.
    known = list(inspect.signature(function).parameters)
    given = operation['attributes']
    for i, argument in enumerate(definition.input_arg):
        key = argument.name if argument.name in known else known[i]
        if argument.number_attr:
            count = int(given[argument.number_attr]['i'])
            arguments[key], rest = rest[:count], rest[count:]
        else:
            arguments[key] = rest.pop(0)
    inferred = {each for argument in definition.input_arg for each in (argument.type_attr, argument.number_attr, argument.type_list_attr)}
    for attribute in definition.attr:
        if attribute.name in given and attribute.name not in inferred:
            arguments[attribute.name] = _value(given[attribute.name], tf)
    result = function(**arguments)
    return list(result) if isinstance(result, (list, tuple)) else [result]


def _define(keras):
    register = keras.saving.register_keras_serializable(package='graft')

    @register
    class StandardizedConv2D(keras.layers.Conv2D):
        """A convolution whose filters have mean 0 and variance 1 (Qiao et al., 2019), as in Big Transfer."""

        def convolution_op(self, inputs, kernel):
            import tensorflow as tf
            kernel = tf.convert_to_tensor(kernel)
            mean, variance = tf.nn.moments(kernel, axes=[0, 1, 2], keepdims=True)
            return super().convolution_op(inputs, (kernel - mean) / tf.sqrt(variance + 1e-10))

    @register
    class LayerScale(keras.layers.Layer):
        """A learned factor per channel, as in ConvNeXt."""

        def __init__(self, init_values, projection_dim, **kwargs):
            super().__init__(**kwargs)
            self.init_values = init_values
            self.projection_dim = projection_dim

        def build(self, _):
            self.gamma = self.add_weight(name='gamma', shape=(self.projection_dim,), initializer=keras.initializers.Constant(self.init_values))
            self.built = True

        def call(self, x):
            return x * self.gamma

        def get_config(self):
            return {**super().get_config(), 'init_values': self.init_values, 'projection_dim': self.projection_dim}

    @register
    class CustomScaleLayer(keras.layers.Layer):
        """The first input plus the second times a number, as in InceptionResNetV2."""

        def __init__(self, scale, **kwargs):
            super().__init__(**kwargs)
            self.scale = scale

        def call(self, inputs):
            return inputs[0] + inputs[1] * self.scale

        def get_config(self):
            return {**super().get_config(), 'scale': self.scale}

    @register
    class TensorFlowOp(keras.layers.Layer):
        """Operations of TensorFlow, on inputs, weights and constants."""

        def __init__(self, operation, **kwargs):
            super().__init__(**kwargs)
            self.operation = operation
            self.content = json.loads(operation['name'])

        def build(self, _):
            held = [each for each in self.content['operands'] if each['from'] == 'weight']
            self.held = [self.add_weight(name=f'variable_{i}' if i else 'variable', shape=each['shape'], initializer='zeros',
                                         trainable=each['trainable']) for i, each in enumerate(held)]
            self.built = True

        def call(self, inputs):
            import tensorflow as tf
            inputs, held = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs], list(self.held)
            known = {}
            for i, each in enumerate(self.content['operands']):
                if each['from'] == 'constant':
                    known[f'operand_{i}'] = tf.constant(each['values'], each['dtype'], each['shape'])
                else:
                    known[f'operand_{i}'] = tf.convert_to_tensor((inputs if each['from'] == 'input' else held).pop(0))
            for operation in self.content['operations']:
                for i, result in enumerate(_run(operation, [known[name] for name in operation['inputs']])):
                    known[f"{operation['name']}:{i}" if i else operation['name']] = result
            results = [known[name] for name in self.content['results']]
            return results[0] if len(results) == 1 else results

        def get_config(self):
            return {**super().get_config(), 'operation': self.operation}


for _name in ('keras', 'tf_keras'):
    if _name == 'keras' and 'tf_keras' not in sys.modules:
        import keras as _keras
    if _name in sys.modules:
        _define(sys.modules[_name])
