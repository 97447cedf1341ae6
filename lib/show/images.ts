import type { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import type { MimeBundle } from '../host.ts'
import { photoFigure } from './figure.ts'
import { columns, count, plural, shorten } from './format.ts'
import { palette } from './palette.ts'
import { drawing, image, text, titles } from './svg.ts'
import { thumbnail } from './thumbnail.ts'

const most = { classes: 24, perClass: 14 }
const row = 48
const thumb = 42

/** A data set as a contact sheet: its classes, how many images each has in which part, and a few of them. */
export async function imageDataBundle(data: ImageData): Promise<MimeBundle> {
  const sets = parts(data)
  const amounts = sets.map(([name, set]) => `${count(set.length)} ${name}`).join(' + ')
  const heading = `${plural(data.classes.length, 'class', 'classes')}, ${amounts}`
  const detail = `${describe(data)} · ${data.source}`
  const counts = (label: number) => sets.map(([, set]) => count(set.counts[label])).join(' + ')
  const notes = data.notes.map(note => note.split('\n')[0].replace(/:$/, ' (see .problems).'))
  return photoFigure(await sheet(data.train, heading, detail, counts, notes), {
    alt: `Contact sheet: ${heading}`,
    text: imageDataText(data),
  })
}

/** One part of a data set as a contact sheet. */
export async function imageSetBundle(set: ImageSet): Promise<MimeBundle> {
  const heading = `${plural(set.length, 'image')} of ${plural(set.classes.length, 'class', 'classes')}`
  const detail = describe(set)
  const { counts } = set
  return photoFigure(await sheet(set, heading, detail, label => count(counts[label]), []), {
    alt: `Contact sheet: ${heading}`,
    text: `ImageSet: ${heading}, ${detail}`,
  })
}

/** The same in letters: a line for the whole, a line per class, what was left out. */
export function imageDataText(data: ImageData): string {
  const sets = parts(data)
  const table = [
    ['class', ...sets.map(([name]) => name)],
    [],
    ...data.classes.map((name, label) => [shorten(name, 40), ...sets.map(([, set]) => count(set.counts[label]))]),
  ]
  return [
    `ImageData '${data.source}': ${plural(data.classes.length, 'class', 'classes')}, `
      + `images of ${data.size.join(' × ')} × ${data.channels}, values ${data.range.join(' to ')}`,
    columns(table, ['left', ...sets.map(() => 'right' as const)]),
    ...data.notes,
  ].join('\n')
}

const describe = ({ size, channels, range }: Pick<ImageSet, 'size' | 'channels' | 'range'>) =>
  `${size.join(' × ')} pixels, ${channels === 1 ? 'grey' : 'RGB'}, values ${range.join(' to ')}`

const parts = (data: ImageData): [string, ImageSet][] => Object.entries(data.parts)

async function sheet(
  set: ImageSet,
  heading: string,
  detail: string,
  counts: (label: number) => string,
  notes: string[],
): Promise<string> {
  const shown = set.classes.slice(0, most.classes)
  const left = 36 + 7.5 * Math.max(10, ...shown.map(name => Math.min(26, name.length)))
  const out = [titles(heading, shorten(detail, 90))]
  let y = 60
  for (const [label, name] of shown.entries()) {
    const pictures = await Promise.all(firstOf(set, label).map(async i => thumbnail(await set.bitmap(i), 2 * thumb)))
    out.push(
      text(16, y + 18, shorten(name, 26), { size: 13, bold: true }),
      text(16, y + 34, counts(label), { size: 11, fill: palette.faint }),
      ...pictures.map((href, n) => image(left + n * (thumb + 6), y, thumb, href)),
    )
    y += row
  }
  const rest = set.classes.length - shown.length
  for (const line of [...(rest ? [`… and ${plural(rest, 'more class', 'more classes')}`] : []), ...notes]) {
    out.push(text(16, y + 14, shorten(line, 110), { size: 11, fill: palette.faint }))
    y += 20
  }
  return drawing(left + most.perClass * (thumb + 6) + 12, y + 8, ...out)
}

function firstOf(set: ImageSet, label: number): number[] {
  const found: number[] = []
  for (let i = 0; i < set.length && found.length < most.perClass; i++) if (set.labels[i] === label) found.push(i)
  return found
}
