export { train, type TrainOptions, type Training } from './train.ts'
export { Run, type History } from './run.ts'
