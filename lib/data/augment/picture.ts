/** An image while it is changed: `height · width · channels` values, row by row, 0 for black to 1 for white. */
export interface Picture { values: Float32Array, height: number, width: number, channels: number }

export const clamp = (value: number): number => value < 0 ? 0 : value > 1 ? 1 : value
