export { extract, type HeadOptions } from './extract.ts'
