export { extract, type HeadOptions } from './extract.ts'
export { fineTune, type FineTuneOptions } from './fine-tune.ts'
export { modify, type ModifyOptions } from './modify.ts'
export { scratch } from './scratch.ts'
