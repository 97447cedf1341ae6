export { compare, FileComparison, type WeightDifference } from './compare.ts'
export { rename, type RenameOptions } from './rename.ts'
export { FileSummary, summary, type LayerLine } from './summary.ts'
export { FileCheck, verify } from './verify.ts'
