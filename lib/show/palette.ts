/**
 * The colours of every figure: Okabe and Ito's set, which the common forms of colour blindness keep apart, on a white card.
 * Those that colour text are darkened until they reach WCAG AA (4.5 : 1) on the card.
 */
export const palette = {
  card: '#ffffff',
  edge: '#d8dee4',
  ink: '#1f2328',
  faint: '#59636e',
  grid: '#e7eaee',
  train: '#0072b2',
  validation: '#d55e00',
  validationText: '#b34700',
  good: '#00795a',
  bad: '#b3261e',
  /** Lines and edges; {@link palette.words} are the same for letters. */
  series: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8f6a00', '#56b4e9'],
  words: ['#0072b2', '#b34700', '#00795a', '#a8487f', '#7a5a00', '#20709c'],
} as const

/** The relative luminance of a `#rrggbb` colour, and from it the contrast of two (WCAG 2.2). */
export function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map(i => {
      const v = parseInt(hex.slice(i, i + 2), 16) / 255
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

/** Whether dark or white text reads better on the colour. */
export const inkOn = (background: string): string =>
  contrast('#ffffff', background) >= contrast(palette.ink, background) ? '#ffffff' : palette.ink
