import type { Notebook } from '../cli/notebook.ts'

/** One display: the code of a cell, and a sentence about it. Cells are run in order, each after those before it. */
export interface Example {
  code: string
  /** What one sees; without it the cell only prepares for the next ones. */
  about?: string
  /** The name in the gallery where the code is long. */
  title?: string
  /** Takes seconds. */
  slow?: true
}

/** Examples as a notebook. */
export const notebookOf = (some: Example[]): Notebook => ({
  cells: some.map(({ code }, i) => ({ id: `c${i}`, cell_type: 'code', metadata: {}, source: code, outputs: [], execution_count: null })),
  metadata: { kernelspec: { name: 'graft', display_name: 'TypeScript (Graft)', language: 'typescript' } },
  nbformat: 4, nbformat_minor: 5,
})

/** Everything that Graft displays, as cells of one notebook in the folder `notebooks`. The gallery and the browser tests show these. */
export const examples: Example[] = [
  {
    code: `const base = await hub.load('models/mobilenet_v2_letters_feature_vector')
const digits = await data.images('images/digits', { size: base, validation: 0.2 })
const model = customize.extract(base, { classes: digits.classes })
const resnet = await hub.load('models/resnet50_v2_letters_feature_vector')
const map = tf.layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu', name: 'conv2d' }).apply(tap(resnet, 'last feature map'))
const pool = tf.layers.globalAveragePooling2d({ name: 'pool' }).apply(map)
const predictions = tf.layers.dense({ units: 10, activation: 'softmax', name: 'predictions' }).apply(pool) as tf.SymbolicTensor
const modified = tf.model({ inputs: resnet.inputs, outputs: predictions, name: 'modified' })`,
  },
  { code: 'model', about: 'A model is the table of its layers. Blocks fold in JupyterLab and on GitHub.' },
  { code: 'show.layers(model, { live: true })', about: 'The same to touch: search it; a click freezes or unfreezes.' },
  { code: 'show.graph(modified)', about: 'A model as a drawing.' },
  { code: 'show.graph(modified, { before: resnet })', about: 'A surgery, before and after.' },
  { code: 'diff(resnet, modified)', about: 'The same in words.' },
  { code: 'digits', about: 'A data set is its contact sheet.' },
  {
    code: "await show.augmentation(digits, { augment: { rotate: 0.08, zoom: 0.2, cutOut: 0.25 } })",
    about: 'What augmentation makes of training images.',
  },
  { code: 'await show.duplicates(digits)', about: 'Images that look alike, across its parts and within.' },
  { code: 'await advise(base, digits)', about: 'Which method, measured on your own images.', slow: true },
  { code: 'await train.findLearningRate(model, digits)', about: 'Where the loss falls fastest.' },
  {
    code: 'const run = await train(model, digits, { epochs: 10, seed: 1 })', title: 'await train(model, digits)',
    about: 'The plot is there from the first step on, with buttons to stop, pause and slow down.',
  },
  {
    code: `const tuned = customize.fineTune(base, { classes: digits.classes, unfreeze: 5 })
const careful = await train(tuned, digits, { epochs: 8, seed: 1, frozenEpochs: 3, schedule: 'cosine', learningRate: { trunk: 1e-4, head: 1e-2 } })`,
    title: "await train(model, digits, { frozenEpochs: 3, schedule: 'cosine', learningRate: { trunk: 1e-4, head: 1e-2 } })",
    about: 'A schedule, and a trunk that learns from the fourth epoch on.',
  },
  { code: 'show.layers(tuned)', about: 'After training: the group each layer learned in, and how far its weights moved.' },
  {
    code: 'await train.sweep(model, digits, { learningRate: [1e-2, 1e-3], batch: [16, 32] }, { epochs: 4 })',
    about: 'Several runs, the best first.', slow: true,
  },
  { code: "await predict(model, 'images/photo-of-a-seven.png')", about: 'One prediction.' },
  { code: 'await show.predictions(model, digits.test, { count: 8 })', about: 'Many of them.' },
  { code: 'await show.worst(model, digits.test, { count: 8 })', about: 'Those that went most wrong.' },
  { code: 'await show.confusion(model, digits.test)', about: 'Which class is taken for which, and scores per class.' },
  { code: 'await show.calibration(model, digits.test)', about: 'How far its confidence can be trusted.' },
  { code: "await show.gradCam(model, digits.test, { count: 6, layer: 'block_12_add' })", about: 'Where it looks.' },
  { code: 'await show.occlusion(model, digits.test)', about: 'What it needs to see.' },
  {
    code: "await show.featureMaps(model, 'images/photo-of-a-seven.png', { layer: 'Conv1_relu', channels: 16 })",
    about: 'What a layer makes of a picture.',
  },
  { code: 'await show.filters(base)', about: 'What the first layer looks for.' },
  { code: 'await show.embedding(base, digits.test)', about: 'What the trunk holds for alike, before any training: principal components.' },
  { code: "await show.embedding(base, digits.test, { method: 'umap' })", about: 'The same by UMAP.', slow: true },
  { code: 'await show.neighbours(base, digits.test, digits.train, { count: 2 })', about: 'The nearest pictures it knows.' },
  { code: 'await show.statistics(tuned, digits.train)', about: 'What pictures do in each layer.' },
  {
    code: `for await (const epoch of progress([1, 2, 3], { label: 'Epochs' })) {
  for await (const image of progress(digits.train.files.slice(0, 40), { label: 'Images' })) await new Promise(next => setTimeout(next, 10))
}`,
    title: "for (const epoch of progress([1, 2, 3], { label: 'Epochs' }))", about: 'Bars within bars.',
  },
  { code: 'runs', about: 'Every run that was ever trained.' },
  { code: 'engine()', about: 'Which library does the arithmetic, and why.' },
  { code: "await files.summary('models/mobilenet_v2_letters_feature_vector/assets.extra/letters_head.h5')", about: 'What is in a model file.' },
  { code: 'tf.randomUniform([3, 5])', about: 'A tensor is its values.' },
]
