export { save, type SaveOptions } from './save.ts'
