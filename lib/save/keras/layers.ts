import type { Json } from './types.ts'

/**
 * The layers that TensorFlow.js and Keras compute alike, with the configurations for which that holds. What is not in this table
 * is refused, by name: a model that loads and computes something else is worse than one that does not load.
 */
export interface LayerRule {
  /** Keys of one meaning on both sides. */
  keys: string[]
  /** Keys that only Keras has, with the values at which both sides agree (its default comes first). */
  keras: Record<string, Json[]>
  /** Keys that both have, of which only these values agree. */
  only: Record<string, Json[]>
  /** Keys that change no result. */
  ignored: string[]
  /** Keras 3's key → ours. */
  renamed: Record<string, string>
  /**
   * Set where Keras exports no such layer: then a file names the one of `graft_layers.py`, which is put beside it. A text is the
   * module of Keras 3 in which a `.keras` file finds it all the same.
   */
  missing?: true | string
  /** The names of a call's arguments, where a layer is called on several tensors one by one and not on a list. */
  called?: string[]
}

interface Row {
  keys?: string
  keras?: Record<string, Json[]>
  only?: Record<string, Json[]>
  ignored?: string
  renamed?: Record<string, string>
  missing?: true | string
  called?: string[]
}

const words = (text = ''): string[] => text.split(' ').filter(word => word !== '')
const weight = (name: string) => `${name}_initializer ${name}_regularizer ${name}_constraint`

const window = 'strides padding data_format'
const convolution = `filters kernel_size ${window} dilation_rate activation use_bias ${weight('kernel')} ${weight('bias')}`
const ungrouped = { groups: [1] }
const depthwise =
  `kernel_size ${window} dilation_rate depth_multiplier activation use_bias ${weight('depthwise')} ${weight('bias')}`
const transposed =
  `filters kernel_size ${window} activation use_bias ${weight('kernel')} ${weight('bias')} output_padding dilation_rate`
const separable =
  `filters kernel_size ${window} dilation_rate depth_multiplier activation use_bias ` +
  `${weight('depthwise')} ${weight('pointwise')} ${weight('bias')}`
const pooling: Row = { keys: `pool_size ${window}` }
const globalPooling: Row = { keys: 'data_format keepdims' }
const flat = { keras: { data_format: ['channels_last'] } }
const noise = 'seed noise_shape'
const ranks = ['1D', '2D', '3D']
const interpolations = ['nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5']
const normalization = `axis epsilon center scale ${weight('beta')} ${weight('gamma')}`
const cell = `activation use_bias ${weight('kernel')} ${weight('recurrent')} ${weight('bias')} dropout recurrent_dropout`
const sequence = 'return_sequences return_state go_backwards unroll'
const recurrentRow = (keys: string): Row => ({
  keys: `${cell} ${sequence} ${keys}`,
  ignored: 'implementation seed',
  only: { stateful: [false] },
  keras: { time_major: [false], zero_output_for_mask: [false] },
})
const cellRow = (keys: string): Row => ({ keys: `${cell} units ${keys}`, ignored: 'implementation seed' })
const convolved = recurrentRow(`filters kernel_size ${window} dilation_rate recurrent_activation unit_forget_bias`)
const merge: Row = {}
const projected: Row = {
  keys: 'dropout use_bias use_gate sliding_window',
  keras: {
    flash_attention: [null, false],
    kernel_regularizer: [null], bias_regularizer: [null], kernel_constraint: [null], bias_constraint: [null],
  },
  ignored: 'seed kernel_initializer bias_initializer',
  called: ['query', 'value', 'key'],
}

const rows: Record<string, Row> = {
  InputLayer: { keys: 'batch_input_shape', ignored: 'sparse', keras: { ragged: [false], optional: [false] } },
  Dense: {
    keys: `units activation use_bias ${weight('kernel')} ${weight('bias')}`,
    keras: { quantization_config: [null], lora_rank: [null] },
  },
  Conv1D: { keys: `${convolution} groups`, only: { data_format: ['channels_last'] } },
  Conv2D: { keys: `${convolution} groups` },
  Conv3D: { keys: `${convolution} groups` },
  Conv1DTranspose: { keys: transposed, keras: ungrouped },
  Conv2DTranspose: { keys: transposed, keras: ungrouped },
  Conv3DTranspose: { keys: transposed, keras: ungrouped },
  DepthwiseConv1D: { keys: depthwise, keras: ungrouped, ignored: weight('kernel') },
  DepthwiseConv2D: { keys: depthwise, keras: ungrouped, ignored: weight('kernel') },
  SeparableConv1D: { keys: separable, keras: ungrouped, ignored: weight('kernel') },
  SeparableConv2D: { keys: separable, keras: ungrouped, ignored: weight('kernel') },
  BatchNormalization: {
    keys: `${normalization} momentum moving_mean_initializer moving_variance_initializer`,
    keras: { synchronized: [false], renorm: [false], virtual_batch_size: [null], fused: [null, true, false] },
    ignored: 'renorm_clipping renorm_momentum',
  },
  LayerNormalization: { keys: normalization, keras: { rms_scaling: [false] } },
  GroupNormalization: {
    keys: 'groups axis epsilon center scale beta_initializer gamma_initializer',
    only: { axis: [-1, 3] },
    keras: { beta_regularizer: [null], gamma_regularizer: [null], beta_constraint: [null], gamma_constraint: [null] },
  },
  UnitNormalization: { keys: 'axis' },
  RMSNormalization: { keys: 'axis epsilon' },
  ReLU: { keys: 'max_value negative_slope threshold' },
  LeakyReLU: { keys: 'alpha', renamed: { negative_slope: 'alpha' } },
  ELU: { keys: 'alpha' },
  PReLU: { keys: `${weight('alpha')} shared_axes` },
  Softmax: { keys: 'axis' },
  Activation: { keys: 'activation' },
  Dropout: { keys: 'rate', ignored: noise },
  SpatialDropout1D: { keys: 'rate', ignored: noise },
  SpatialDropout2D: { keys: 'rate data_format', ignored: noise },
  SpatialDropout3D: { keys: 'rate data_format', ignored: noise },
  GaussianNoise: { keys: 'stddev', ignored: noise },
  GaussianDropout: { keys: 'rate', ignored: noise },
  AlphaDropout: { keys: 'rate', ignored: noise },
  MaxPooling1D: { ...pooling, keys: 'pool_size strides padding', ...flat },
  MaxPooling2D: pooling,
  MaxPooling3D: pooling,
  AveragePooling1D: { ...pooling, keys: 'pool_size strides padding', ...flat },
  AveragePooling2D: pooling,
  AveragePooling3D: pooling,
  GlobalAveragePooling1D: { keys: 'keepdims', ...flat },
  GlobalAveragePooling2D: globalPooling,
  GlobalAveragePooling3D: globalPooling,
  GlobalMaxPooling1D: { keys: 'keepdims', ...flat },
  GlobalMaxPooling2D: globalPooling,
  GlobalMaxPooling3D: globalPooling,
  ...Object.fromEntries(ranks.flatMap(rank => ['Average', 'Max'].map(kind =>
    [`Adaptive${kind}Pooling${rank}`, { keys: 'output_size data_format' }]))),
  ...Object.fromEntries(ranks.flatMap(rank => [
    [`ZeroPadding${rank}`, { keys: 'padding data_format' }], [`Cropping${rank}`, { keys: 'cropping data_format' }],
  ])),
  UpSampling1D: { keys: 'size' },
  UpSampling2D: { keys: 'size data_format interpolation', only: { interpolation: interpolations } },
  UpSampling3D: { keys: 'size data_format' },
  Resizing: {
    keys: 'height width interpolation crop_to_aspect_ratio pad_to_aspect_ratio antialias fill_value',
    only: { interpolation: [...interpolations, 'area', 'gaussian', 'mitchellcubic'] },
    keras: { fill_mode: ['constant'], data_format: ['channels_last', null] },
  },
  ActivityRegularization: { keys: 'l1 l2' },
  AutoContrast: { keys: 'value_range', keras: { data_format: ['channels_last', null] } },
  CenterCrop: { keys: 'height width', keras: { data_format: ['channels_last', null] } },
  Flatten: { keys: 'data_format' },
  Reshape: { keys: 'target_shape' },
  Permute: { keys: 'dims' },
  RepeatVector: { keys: 'n' },
  Masking: { keys: 'mask_value' },
  Rescaling: { keys: 'scale offset' },
  Normalization: { keys: 'axis mean variance', keras: { invert: [false] } },
  AdaptedNormalization: { keys: 'axis', keras: { invert: [false], mean: [null], variance: [null] } },
  LayerScale: { keys: 'init_values projection_dim', missing: 'keras.src.applications.convnext' },
  CustomScaleLayer: { keys: 'scale', missing: 'keras.src.applications.inception_resnet_v2' },
  StandardizedConv2D: { keys: `${convolution} groups`, missing: true },
  TensorFlowOp: { keys: 'operation', missing: true },
  Add: merge,
  Subtract: merge,
  Multiply: merge,
  Average: merge,
  Maximum: merge,
  Minimum: merge,
  Concatenate: { keys: 'axis' },
  Dot: { keys: 'axes normalize' },
  EinsumDense: {
    keys: `equation output_shape bias_axes activation ${weight('kernel')} ${weight('bias')}`,
    keras: { quantization_config: [null], lora_rank: [null], lora_alpha: [null], gptq_unpacked_column_size: [null] },
  },
  Attention: { keys: 'use_scale score_mode dropout', ignored: 'seed' },
  AdditiveAttention: { keys: 'use_scale dropout', ignored: 'seed' },
  MultiHeadAttention: {
    ...projected,
    keys: `num_heads key_dim value_dim output_shape attention_axes ${projected.keys}`,
    keras: { ...projected.keras, softmax_robust_masking: [false] },
    ignored: `${projected.ignored} query_shape key_shape value_shape`,
  },
  GroupQueryAttention: { ...projected, keys: `head_dim num_query_heads num_key_value_heads ${projected.keys}` },
  SpectralNormalization: { keys: 'layer power_iterations' },
  Embedding: {
    keys: `input_dim output_dim ${weight('embeddings')} mask_zero`,
    ignored: 'input_length',
    keras: { quantization_config: [null], lora_rank: [null] },
  },
  SimpleRNN: recurrentRow('units'),
  GRU: recurrentRow('units recurrent_activation reset_after'),
  LSTM: recurrentRow('units recurrent_activation unit_forget_bias'),
  ConvLSTM1D: convolved,
  ConvLSTM2D: convolved,
  RNN: {
    ...recurrentRow('cell'), keys: `${sequence} cell`,
    // TensorFlow.js tells the cell's settings twice.
    ignored: `${cell} cells units recurrent_activation unit_forget_bias reset_after implementation seed`,
  },
  SimpleRNNCell: cellRow(''),
  GRUCell: cellRow('recurrent_activation reset_after'),
  LSTMCell: cellRow('recurrent_activation unit_forget_bias'),
  StackedRNNCells: { keys: 'cells' },
  Bidirectional: { keys: 'merge_mode layer' },
  TimeDistributed: { keys: 'layer' },
}

/** The rule of each class. */
export const layerRules: Map<string, LayerRule> = new Map(
  Object.entries(rows).map(([name, row]) => [
    name,
    {
      keys: [...words(row.keys), ...Object.keys(row.only ?? {}).filter(key => !words(row.keys).includes(key))],
      keras: row.keras ?? {},
      only: row.only ?? {},
      ignored: words(row.ignored),
      renamed: row.renamed ?? {},
      missing: row.missing,
      called: row.called,
    },
  ]),
)

/** Keys whose string values TensorFlow.js spells in camel case (`channelsLast`). */
export const spelled = new Set([
  'activation',
  'recurrent_activation',
  'data_format',
  'padding',
  'interpolation',
  'merge_mode',
  'mode',
  'distribution',
])

/** `maxValue` → `max_value`. */
export const snake = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()

/** `max_value` → `maxValue`. */
export const camel = (key: string): string => key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/**
 * Whether two JSON values are the same; a number and its text are too (`"0.0"` and 0), as some Keras versions write arrays so.
 */
export const same = (a: Json, b: Json): boolean =>
  typeof a === 'number' && typeof b === 'string'
    ? a === Number(b)
    : typeof a === 'string' && typeof b === 'number'
      ? same(b, a)
      : JSON.stringify(a) === JSON.stringify(b)
