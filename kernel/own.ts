// Built-ins as they were before any cell. A cell may replace them, for a fake clock or as an exercise; the kernel's own work goes on with these.

export const { parse, stringify } = JSON
export const { now } = Date
export const { Promise, setTimeout, clearTimeout, performance } = globalThis
export const { nextTick } = process
