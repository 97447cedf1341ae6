/** What a cell ends with when the user interrupts it. */
export class Interrupted extends Error {
  override name = 'Interrupted'

  constructor() {
    super('the cell was interrupted')
  }
}
