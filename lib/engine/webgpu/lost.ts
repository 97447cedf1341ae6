import { GraftError } from '../../error.ts'

/** The graphics card, its driver or the connection to it went away, and with it the values that only it had. */
export class DeviceLost extends GraftError {
  constructor(what: string) {
    super(`the graphics card was lost (${what}). It is started anew; weights are those of the last epoch's end, what else only it `
      + 'held is gone. Run the cell again.')
  }
}
