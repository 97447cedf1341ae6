"""Thin members of three families: Keras's own model, layer by layer and name by name, with fewer filters."""
import tf_keras as keras

# family: (Keras's builder, its arguments, share of the filters kept, filters of single layers)
FAMILIES = {
  'mobilenet_v2': (keras.applications.MobileNetV2, {'alpha': 0.35}, 1, {'Conv_1': 1024}),
  'inception_v3': (keras.applications.InceptionV3, {}, 7 / 64, {}),
  'resnet50_v2': (keras.applications.ResNet50V2, {}, 1 / 8, {}),
}

# Sides in pixels of the small pictures that pretraining starts with and of the trunk's input; an InceptionV3 takes 75 at least.
SIZES = {'mobilenet_v2': (64, 96), 'inception_v3': (80, 128), 'resnet50_v2': (64, 96)}

# The lesson trains these nets from scratch too, for some sixty steps: Keras's 0.99 and 0.999 would leave their moving
# averages at the start, and the comparison would be against a net that cannot answer at all.
MOMENTUM = 0.9


def trunk(family, size):
  """A thin feature vector model of a family for square RGB images in [0, 1]: rank 2 after global average pooling."""
  build, options, share, filters = FAMILIES[family]
  full = build(input_shape=(size, size, 3), include_top=False, pooling='avg', weights=None, **options)

  def thinner(layer):
    config = layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
      config['momentum'] = MOMENTUM
    elif isinstance(layer, keras.layers.Conv2D) and not isinstance(layer, keras.layers.DepthwiseConv2D):
      config['filters'] = filters.get(layer.name, max(8, round(config['filters'] * share)))
    return layer.__class__.from_config(config)

  return keras.models.clone_model(full, clone_function=thinner)
