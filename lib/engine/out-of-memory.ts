import { GraftError } from '../error.ts'

/** What was asked for at once takes more memory than the engine has; less at once may do. Nothing has changed. */
export class OutOfMemory extends GraftError {}
