export { load, type LoadOptions } from './load.ts'
export { save, type SaveOptions } from './save.ts'
export { SaveReceipt } from './receipt.ts'
