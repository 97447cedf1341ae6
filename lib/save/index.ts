export { save, type SaveOptions } from './save.ts'
export { load } from './load.ts'
