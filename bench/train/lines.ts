/** A line of the table. The mark is the ratio to stay at or below; on WASM there are others than on TensorFlow. */
export interface Line {
  part: Part
  title: string
  work: string
  family: string
  size: number
  tensorflow?: number
  wasm?: number
  /** What both sides are asked besides. */
  more?: { open_layers?: number, change?: boolean }
  /** What Keras alone is asked. */
  peer?: { by_hand: boolean }
}

/** Lines that are measured together, so that each part takes some minutes. */
export const parts = ['steps', 'large steps', 'head', 'first', 'workflows', 'fine-tuning', 'predict', 'memory'] as const
export type Part = typeof parts[number]

const mobile = { family: 'MobileNetV2', size: 224 }, small = { family: 'MobileNetV2', size: 96 }
const inception = { family: 'InceptionV3', size: 299 }, resnet = { family: 'ResNet50V2', size: 224 }
const head = { open_layers: 1 }, convolution = { open_layers: 2, change: true }
const workflow = { part: 'workflows', work: 'workflow' } as const, tuning = { part: 'fine-tuning', work: 'workflow' } as const
const byHand = { peer: { by_hand: true }, tensorflow: 0.6 }

export const lines: Line[] = [
  { part: 'steps', title: 'full step', work: 'step', ...mobile, tensorflow: 0.7, wasm: 2.5 },
  { part: 'steps', title: 'full step', work: 'step', ...small },
  { part: 'large steps', title: 'full step', work: 'step', ...inception, tensorflow: 0.9 },
  { part: 'large steps', title: 'full step', work: 'step', ...resnet, tensorflow: 0.9 },
  { part: 'head', title: 'head-only step', work: 'step', ...mobile, tensorflow: 0.8, more: head },
  { part: 'head', title: 'head-only step', work: 'step', ...small, more: head },
  { part: 'first', title: 'to the end of the first step', work: 'first step', ...mobile, tensorflow: 0.1 },
  { ...workflow, title: 'extraction, features by hand in Keras too', ...mobile, more: head, ...byHand },
  { ...workflow, title: 'extraction', ...mobile, tensorflow: 0.1, wasm: 0.1, more: head },
  { ...workflow, title: 'modification, features by hand in Keras too', ...resnet, more: convolution, ...byHand },
  { ...workflow, title: 'modification, a convolution on the last map', ...resnet, tensorflow: 0.1, wasm: 0.4, more: convolution },
  { ...tuning, title: 'fine-tuning of the head, features by hand in Keras too', ...inception, more: head, ...byHand },
  { ...tuning, title: 'fine-tuning of the head', ...inception, tensorflow: 0.1, wasm: 0.1, more: head },
  { ...tuning, title: 'fine-tuning, last five layers with weights', ...inception, tensorflow: 0.2, more: { open_layers: 5 } },
  { ...tuning, title: 'fine-tuning, last 30 layers with weights', ...inception, tensorflow: 0.4, more: { open_layers: 30 } },
  { part: 'predict', title: 'predict 32 images', work: 'predict', ...mobile, tensorflow: 0.6, wasm: 0.6 },
  { part: 'predict', title: 'predict 32 images', work: 'predict', ...inception, tensorflow: 0.95, wasm: 0.95 },
  { part: 'predict', title: 'predict 32 images', work: 'predict', ...resnet, tensorflow: 0.95, wasm: 0.95 },
  { part: 'memory', title: 'most memory of a process for full steps', work: 'memory', ...mobile, tensorflow: 0.9 },
]
