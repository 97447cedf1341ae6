/** The offset in UTF-16 units of an offset in code points, as Jupyter counts. */
export function toUnits(text: string, points: number): number {
  let units = 0
  for (let n = 0; n < points && units < text.length; n++) units += text.codePointAt(units)! > 0xffff ? 2 : 1
  return units
}

/** The offset in code points of an offset in UTF-16 units. */
export const toPoints = (text: string, units: number): number => [...text.slice(0, units)].length

/** Line and character of an offset in a cell, as the language server counts in the live document: that has one line on top. */
export function livePosition(text: string, offset: number): { line: number, character: number } {
  const before = text.slice(0, offset)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, character: offset - start }
}
