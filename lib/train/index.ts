export { train, type TrainOptions } from './train.ts'
export type { Training } from './live.ts'
export { Run, type History } from './run.ts'
