// The checks of the lessons' exercises: check('1a', answer) says what is right about an answer and what is not, and gives a hint.

/** As much of a tf.LayersModel as the checks look at. */
interface Model {
  inputs: { shape: (number | null)[] }[]
  outputs: { shape: (number | null)[]; sourceLayer: Layer }[]
  layers: Layer[]
  weights: unknown[]
  trainableWeights: { shape: (number | null)[] }[]
}
interface Layer {
  name: string
  weights: unknown[]
  trainable: boolean
  trainableWeights: unknown[]
  getClassName(): string
  getConfig(): Record<string, unknown>
}

/** What a check says; it shows itself. */
export class Verdict {
  /** `null` for an exercise that is not answered yet. */
  readonly right: boolean | null
  readonly text: string

  constructor(right: boolean | null, text: string) {
    this.right = right
    this.text = text
  }

  [Symbol.for('Jupyter.display')]() {
    const [sign, colour] = this.right === null ? ['…', '#59636e'] : this.right ? ['✓', '#00795a'] : ['✗', '#b34700']
    const safe = this.text.replace(/[&<>]/g, c => `&#${c.charCodeAt(0)};`)
    return {
      'text/html': `<div style="border-left:4px solid ${colour};padding:4px 12px"><b>${sign}</b> ${safe}</div>`,
      'text/plain': `${sign} ${this.text}`,
    }
  }
}

const yes = (text: string) => new Verdict(true, text)
const no = (text: string) => new Verdict(false, text)
const isModel = (value: unknown): value is Model =>
  Array.isArray((value as Model | null)?.layers) && Array.isArray((value as Model).outputs)
const holding = (model: Model) => model.layers.filter(layer => layer.weights.length)
const learning = (model: Model) => holding(model).filter(layer => layer.trainableWeights.length)
const size = (weights: { shape: (number | null)[] }[]) =>
  weights.reduce((sum, { shape }) => sum + shape.reduce<number>((n, side) => n * (side ?? 1), 1), 0)

/** A head for classes: a Dense layer of so many units under a softmax. */
function headIsWrong(model: Model, classes: number): Verdict | null {
  const { shape, sourceLayer } = model.outputs[0]
  if (shape.length !== 2)
    return no(
      `The model's output is [${shape.map(n => n ?? 'batch').join(', ')}], still with a height and a width. What turns a map into one number a channel?`,
    )
  if (shape[1] !== classes)
    return no(`The model gives ${shape[1]} numbers, and there are ${classes} classes. One unit a class: digits.classes.length.`)
  if (sourceLayer.getConfig().activation !== 'softmax')
    return no('The outputs are no probabilities yet: they may be negative and do not add up to 1. Which activation does that?')
  return null
}

const checks: Record<string, (answer: unknown) => Verdict> = {
  // Build the model of the first lesson by hand: freeze(base), a Dense layer on base.outputs[0], tf.model.
  '1a'(model) {
    if (!isModel(model)) return no('Expected a model: tf.model({ inputs: base.inputs, outputs: … }).')
    const wrong = headIsWrong(model, 10)
    if (wrong) return wrong
    const open = learning(model).length
    if (open > 1)
      return no(
        `${open} layers would learn, the trunk's among them: that is fine-tuning. One call before building freezes them all.`,
      )
    if (open === 0)
      return no(
        'Nothing would learn: the new head is frozen too. Freeze the base before the head is there, or unfreeze the head.',
      )
    return yes('Frozen trunk, one Dense layer that learns: the same model as customize.extract gives.')
  },
  // How many weights does that head have?
  '1b'(count) {
    if (count === 10_250) return yes('1,024 features × 10 classes, and one bias for each class.')
    if (count === 10_240) return no('1,024 × 10 are the connections. Each unit has a bias as well.')
    if (count === 390_762) return no('That is every weight of the model. Only the head learns.')
    return no(
      `Not ${String(count)}. Each of the 10 units sees the feature vector of 1,024 numbers; show.layers(model) has the answer too.`,
    )
  },
  // Let the last two blocks learn, and nothing below.
  '2a'(model) {
    if (!isModel(model))
      return no(
        'Expected a model: customize.fineTune(base, { classes: digits.classes, unfreeze: … }) or one that you built and froze.',
      )
    const held = holding(model),
      open = learning(model),
      share = size(model.trainableWeights) / size(model.weights as { shape: number[] }[])
    if (open.length <= 1)
      return no('Only the head would learn. The last five of base.layers hold no weights: count layers with weights, or blocks.')
    if (share > 0.9)
      return no(
        'Nearly everything would learn: with few pictures that forgets more than it learns. Freeze first, then let the end of the trunk go.',
      )
    const first = held.indexOf(open[0])
    const gap = held.slice(first).filter(layer => !open.includes(layer) && !/BatchNormalization/.test(layer.getClassName()))
    if (gap.length)
      return no(`'${gap[0].name}' is frozen although layers below it learn. Unfreeze the end of the network without holes.`)
    return yes(
      `${open.length} layers at the end learn, ${(100 * share).toFixed(0)} % of the weights; ${first} layers below stay as they were.`,
    )
  },
  // A learning rate for the trunk and one for the head.
  '2b'(rates) {
    const { trunk, head } = (rates ?? {}) as { trunk?: number; head?: number }
    if (typeof trunk !== 'number' || typeof head !== 'number') return no('Expected two rates: { trunk: …, head: … }.')
    if (trunk > head)
      return no('The other way round: the head starts at random and has everything to learn, the trunk has everything to lose.')
    if (trunk === head) return no("With one rate for both, the head's first large errors wash out what the trunk knows.")
    if (trunk * 10 > head)
      return no(`${(head / trunk).toPrecision(2)} times slower is not much. A tenth to a thousandth is usual.`)
    return yes(`The trunk learns ${Math.round(head / trunk)} times more slowly than the head.`)
  },
  // A head on the feature map of stride 16.
  '3a'(model) {
    if (!isModel(model)) return no('Expected a model: tf.model({ inputs: base.inputs, outputs: … }).')
    const wrong = headIsWrong(model, 10)
    if (wrong) return wrong
    const pooled = model.layers.findLast(layer =>
      /GlobalAveragePooling2D|GlobalMaxPooling2D|Flatten/.test(layer.getClassName()),
    ) as (Layer & { input?: { shape: (number | null)[] } }) | undefined
    const side = model.inputs[0].shape[1]!,
      map = pooled?.input?.shape
    if (!map) return no('There is no pooling between the map and the head: each place would have weights of its own.')
    const stride = 2 ** Math.round(Math.log2(side / (map[1] ?? 1)))
    if (stride > 16)
      return no(
        `The head stands on a map of ${map[1]} × ${map[2]}, stride ${stride}: the last one. Go one step deeper: tap(base, { stride: 16 }).`,
      )
    if (stride < 16)
      return no(
        `The head stands on a map of ${map[1]} × ${map[2]}, stride ${stride}: finer than asked for, and its features know little yet.`,
      )
    return yes(`A head on a map of ${map[1]} × ${map[2]}: finer than the last, and cheaper, as the layers behind it are gone.`)
  },
}

/**
 * Checks an answer.
 *
 * @param exercise as the lesson names it, e.g. `'1a'`
 * @param answer what the exercise asks for; `undefined` is one not yet given
 * @example
 * check('2b', { trunk: 1e-5, head: 1e-3 })   // ✓ The trunk learns 100 times more slowly than the head.
 */
export function check(exercise: string, answer: unknown): Verdict {
  if (!Object.hasOwn(checks, exercise))
    throw new Error(`unknown exercise: '${exercise}'. There are ${Object.keys(checks).join(', ')}.`)
  if (answer === undefined)
    return new Verdict(null, 'Not answered yet: put your answer in the place of undefined and run the cell again.')
  return checks[exercise](answer)
}
