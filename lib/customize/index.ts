export { extract, type HeadOptions } from './extract.ts'
export { scratch } from './scratch.ts'
