import { randomFrom } from '../../lib/data/random.ts'

/** Draws one image of a class: values in [0, 1], `side · side · 3`. */
export type Draw = (label: number, random: () => number, side: number) => Float32Array

/** Points and the lines between them, in a square from −1 to 1. */
type Stroke = [x: number, y: number][]

const between = (random: () => number, low: number, high: number) => low + (high - low) * random()
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const colour = (random: () => number): number[] => [random(), random(), random()]

/** Two colours that can be told apart. */
function colours(random: () => number, least = 0.8): [number[], number[]] {
  for (;;) {
    const a = colour(random), b = colour(random)
    if (a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) > least) return [a, b]
  }
}

/** Paints a coverage (0: ground, 1: figure) in two colours, under uneven light, with noise. */
function paint(side: number, random: () => number, noise: number, coverage: (x: number, y: number) => number, [ground,
  figure] = colours(random)): Float32Array {
  const out = new Float32Array(side * side * 3), slope = [between(random, -0.2, 0.2), between(random, -0.2, 0.2)]
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = (column + 0.5) / side * 2 - 1, y = (row + 0.5) / side * 2 - 1, part = coverage(x, y), light = 1 + slope[0] * x +
        slope[1] * y
      for (let c = 0; c < 3; c++) {
        const value = (ground[c] + (figure[c] - ground[c]) * part) * light + noise * normal(random)
        out[(row * side + column) * 3 + c] = Math.min(1, Math.max(0, value))
      }
    }
  }
  return out
}

/** Coordinates as a figure has them that was turned, scaled and moved a little. */
function placed(random: () => number, turn: number): (x: number, y: number) => [number, number] {
  const angle = between(random, -turn, turn), scale = between(random, 0.5, 0.8), dx = between(random, -0.2, 0.2),
    dy = between(random, -0.2, 0.2)
  const cos = Math.cos(angle) / scale, sin = Math.sin(angle) / scale
  return (x, y) => [cos * (x - dx) + sin * (y - dy), cos * (y - dy) - sin * (x - dx)]
}

const soft = (distance: number, side: number) => Math.min(1, Math.max(0, 0.5 - distance * side / 3))

function distanceTo(x: number, y: number, [ax, ay]: [number, number], [bx, by]: [number, number]): number {
  const vx = bx - ax, vy = by - ay, t = Math.min(1, Math.max(0, ((x - ax) * vx + (y - ay) * vy) / (vx * vx + vy * vy || 1)))
  return Math.hypot(x - ax - t * vx, y - ay - t * vy)
}

/** Signs of straight strokes, as a pen of one width draws them. */
const signs = (shapes: Stroke[][], noise = 0.04): Draw => (label, random, side) => {
  const at = placed(random, 0.2), width = between(random, 0.07, 0.16), shake = () => between(random, -0.05, 0.05)
  const lines = shapes[label].map(stroke => stroke.map(([x, y]): [number, number] => [x + shake(), y + shake()]))
  return paint(side, random, noise, (x, y) => {
    const [u, v] = at(x, y)
    const near = Math.min(...lines.flatMap(line => line.slice(1).map((point, i) => distanceTo(u, v, line[i], point))))
    return soft(near - width, side)
  })
}

const lines = (text: string): Stroke[] => text.split(' ').map(stroke => stroke.split('-').map(point => {
  const column = 'abc'.indexOf(point[0]), row = Number(point[1])
  return [column - 1, row / 2 - 1] as [number, number]
}))

/** Eight of the elder futhark, on a grid of three columns and five rows. */
const runes = ['b4-b0-c1 b1-c2', 'a4-a0-c2-c4', 'a4-a0 a0-c1-a2', 'a4-a0-c1-a2-c4', 'a4-c0 a0-c4', 'a4-a0 a0-c2-a4',
  'a4-a0-c4-c0', 'b4-b0 a1-b0-c1'].map(lines)
/** The ten digits of a display of seven bars. */
const digits = ['a0-c0-c4-a4-a0', 'c0-c4', 'a0-c0-c2-a2-a4-c4', 'a0-c0-c4-a4 a2-c2', 'a0-a2-c2 c0-c4', 'c0-a0-a2-c2-c4-a4',
  'c0-a0-a4-c4-c2-a2', 'a0-c0-c4',
  'a0-c0-c4-a4-a0 a2-c2', 'c2-a2-a0-c0-c4-a4'].map(lines)

/** A filled figure given by its signed distance, in a square from −1 to 1. */
const figures = (distances: ((x: number, y: number) => number)[], turn: number, noise: number): Draw => (label, random, side) => {
  const at = placed(random, turn)
  return paint(side, random, noise, (x, y) => soft(distances[label](...at(x, y)), side))
}

/** A regular polygon, or a star where `inner` is below 1. */
const polygon = (corners: number, inner = 1) => (x: number, y: number): number => {
  const angle = Math.atan2(x, -y), step = 2 * Math.PI / corners, from = ((angle % step) + step) % step - step / 2,
    r = Math.hypot(x, y)
  return inner === 1 ? r * Math.cos(from) - Math.cos(step / 2) : r - (inner + (1 - inner) * Math.abs(from) / (step / 2))
}

/** An arrow in one of eight directions. */
const arrow = (direction: number) => (x: number, y: number): number => {
  const angle = direction * Math.PI / 4, u = Math.cos(angle) * x + Math.sin(angle) * y,
    v = Math.cos(angle) * y - Math.sin(angle) * x
  return Math.min(Math.max(Math.abs(v) - 0.18, Math.abs(u + 0.2) - 0.8), Math.max(0.1 - u, Math.abs(v) * 0.8 + u - 0.95))
}

/** Noise of one grain: a sum of waves of about one length, in any direction. */
const grains = (lengths: number[]): Draw => (label, random, side) => {
  const waves = Array.from({ length: 24 }, () => {
    const angle = between(random, 0, 2 * Math.PI), frequency = 2 * Math.PI / lengths[label] * between(random, 0.85, 1.15)
    return [Math.cos(angle) * frequency, Math.sin(angle) * frequency, between(random, 0, 2 * Math.PI)]
  })
  return paint(side, random, 0.03, (x, y) => 0.5 + waves.reduce((sum, [a, b, phase]) => sum + Math.sin(a * x + b * y + phase),
    0) / 10)
}

/** Blobs whose hue is the class; form and ground are anybody's. */
const hues = (count: number): Draw => (label, random, side) => {
  const hue = (label + between(random, -0.3, 0.3)) / count * 6, at = placed(random, Math.PI), squeeze = between(random, 0.5, 1)
  const channel = (n: number) => { const k = (n + hue) % 6; return 0.9 - 0.7 * Math.max(0, Math.min(k, 4 - k, 1)) }
  const grey = random()
  return paint(side, random, 0.05, (x, y) => { const [u, v] = at(x, y); return soft(Math.hypot(u, v / squeeze) - 0.8, side) },
    [[grey, grey, grey], [channel(5), channel(3), channel(1)]])
}

/** Stripes crossing at an angle that is the class, as woven cloth has them. */
const weaves = (angles: number[]): Draw => (label, random, side) => {
  const turn = between(random, 0, Math.PI), frequency = between(random, 8, 18), other = turn + angles[label]
  return paint(side, random, 0.05, (x, y) =>
    (Math.sin(frequency * (Math.cos(turn) * x + Math.sin(turn) * y)) + Math.sin(frequency * (Math.cos(other) * x +
      Math.sin(other) * y)) + 2) / 4)
}

/** A number of dots, as on dice. */
const dice: Draw = (label, random, side) => {
  const at = placed(random, 0.4), radius = between(random, 0.13, 0.2), spots = [[[0, 0]], [[-1, -1], [1, 1]], [[-1, -1], [0, 0],
    [1, 1]], [[-1, -1], [1, 1], [-1, 1], [1, -1]],
    [[-1, -1], [1, 1], [-1, 1], [1, -1], [0, 0]], [[-1, -1], [1, 1], [-1, 1], [1, -1], [-1, 0], [1, 0]]][label]
  return paint(side, random, 0.05, (x, y) => { const [u, v] = at(x, y); return soft(Math.min(...spots.map(([a, b]) =>
    Math.hypot(u - a * 0.6, v - b * 0.6))) - radius, side) })
}

/** Kinds of pictures: how many classes, and how one is drawn. */
export const kinds = {
  runes: { classes: 8, draw: signs(runes) },
  arrows: { classes: 8, draw: figures(Array.from({ length: 8 }, (_, i) => arrow(i)), 0.15, 0.08) },
  polygons: { classes: 6, draw: figures([polygon(3), polygon(4), polygon(5), polygon(6), polygon(5, 0.5), polygon(40)], Math.PI,
    0.06) },
  grains: { classes: 6, draw: grains([0.12, 0.18, 0.27, 0.4, 0.6, 0.9]) },
  hues: { classes: 6, draw: hues(6) },
  bars: { classes: 10, draw: signs(digits, 0.1) },
  weaves: { classes: 5, draw: weaves([0.4, 0.7, 1, 1.3, 1.57]) },
  dice: { classes: 6, draw: dice },
} satisfies Record<string, { classes: number, draw: Draw }>

export type Kind = keyof typeof kinds

/** As many images of each class, with their labels; the seed tells which. */
export function drawn(kind: Kind, perClass: number, side: number, seed: string): { pixels: Float32Array, labels: number[] } {
  const { classes, draw } = kinds[kind], random = randomFrom(`${kind} ${seed}`), each = side * side * 3
  const labels = Array.from({ length: perClass * classes }, (_, i) => i % classes),
    pixels = new Float32Array(labels.length * each)
  labels.forEach((label, i) => pixels.set(draw(label, random, side), i * each))
  return { pixels, labels }
}
