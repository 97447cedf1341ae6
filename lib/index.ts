// The public names, nothing else. They are all in the namespace `graft` too.
import { explainShapes } from './customize/explain.ts'
import { predictInOnnxRuntime } from './engine/predict.ts'
import { installDisplays } from './show/install.ts'
import { tf } from './tf.ts'

export { tf }
export { Plot } from './plot-later.ts'
export { hub, type LoadOptions } from './hub/index.ts'
export * as customize from './customize/index.ts'
export { tap } from './customize/tap.ts'
export { insertAfter, insertBefore, type AfterOptions, type BeforeOptions } from './customize/insert.ts'
export { remove, type RemoveOptions } from './customize/remove.ts'
export { replace } from './customize/replace.ts'
export { advise, type AdviseOptions } from './customize/advise.ts'
export type { Advice } from './show/advice.ts'
export { diff, type Diff } from './show/diff.ts'
export { freeze, unfreeze, type FreezeChange, type Selection } from './customize/freeze.ts'
export type { NamedModel } from './customize/named.ts'
export * as data from './data/index.ts'
export {
  train, RateTest, Run, Sweep, type History, type RateTestOptions, type ResumeOptions, type SweepOptions, type Training, type TrainOptions,
} from './train/index.ts'
export { predict, type ImageInput } from './train/predict.ts'
export { Prediction, Predictions, type Score } from './train/prediction.ts'
export { runs, Runs, Comparison } from './runs/index.ts'
export { engine, EngineInfo } from './engine/index.ts'
export { progress, show, Widget, widget, type WidgetOptions } from './show/index.ts'
export * as files from './files/index.ts'
export { load, save, type SaveOptions } from './save/index.ts'
export { cardOf, setCard, type ModelCard } from './card.ts'
export { GraftError } from './error.ts'

installDisplays(tf)
explainShapes(tf)
predictInOnnxRuntime()
