import type { ImageData } from '../data/images.ts'
import type { ImageSet } from '../data/set.ts'
import type { MimeBundle } from '../host.ts'
import { photoFigure } from './figure.ts'
import { columns, count, escape, plural, shorten } from './format.ts'
import { palette } from './palette.ts'
import { thumbnail } from './thumbnail.ts'

const most = { classes: 24, perClass: 14 }
const row = 48,
  thumb = 42

/** A data set as a contact sheet: its classes, how many images each has in which part, and a few of them. */
export async function imageDataBundle(data: ImageData): Promise<MimeBundle> {
  const sets = parts(data)
  const heading = `${plural(data.classes.length, 'class', 'classes')}, ${sets.map(([name, set]) => `${count(set.length)} ${name}`).join(' + ')}`
  const detail = `${data.size.join(' × ')} pixels, ${data.channels === 1 ? 'grey' : 'RGB'}, values ${data.range.join(' to ')} · ${data.source}`
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
  const detail = `${set.size.join(' × ')} pixels, ${set.channels === 1 ? 'grey' : 'RGB'}, values ${set.range.join(' to ')}`
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
    `ImageData '${data.source}': ${plural(data.classes.length, 'class', 'classes')}, images of ${data.size.join(' × ')} × ${data.channels}, `
      + `values ${data.range.join(' to ')}`,
    columns(table, ['left', ...sets.map(() => 'right' as const)]),
    ...data.notes,
  ].join('\n')
}

const parts = (data: ImageData): [string, ImageSet][] =>
  (['train', 'validation', 'test'] as const).flatMap(name => (data[name] ? [[name, data[name]] as [string, ImageSet]] : []))

async function sheet(
  set: ImageSet,
  heading: string,
  detail: string,
  counts: (label: number) => string,
  notes: string[],
): Promise<string> {
  const shown = set.classes.slice(0, most.classes),
    out: string[] = []
  const left = 32 + 7.5 * Math.max(10, ...shown.map(name => Math.min(26, name.length)))
  const text = (x: number, y: number, words: string, size = 12, fill: string = palette.ink, weight = 400) =>
    out.push(`<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escape(words)}</text>`)
  text(12, 26, heading, 16, palette.ink, 600)
  text(12, 46, shorten(detail, 90), 12, palette.faint)
  let y = 58
  for (const [label, name] of shown.entries()) {
    const indices = firstOf(set, label)
    text(12, y + 18, shorten(name, 26), 13, palette.ink, 600)
    text(12, y + 34, counts(label), 11, palette.faint)
    const pictures = await Promise.all(indices.map(async i => thumbnail(await set.bitmap(i), 2 * thumb)))
    for (const [n, href] of pictures.entries())
      out.push(`<image x="${left + n * (thumb + 6)}" y="${y}" width="${thumb}" height="${thumb}" href="${href}"/>`)
    y += row
  }
  const rest = set.classes.length - shown.length
  for (const line of [...(rest ? [`… and ${plural(rest, 'more class', 'more classes')}`] : []), ...notes]) {
    text(12, y + 14, shorten(line, 110), 11, palette.faint)
    y += 20
  }
  const width = left + most.perClass * (thumb + 6) + 12
  return `<svg width="${width}" height="${y + 8}">${out.join('')}</svg>`
}

function firstOf(set: ImageSet, label: number): number[] {
  const found: number[] = []
  for (let i = 0; i < set.length && found.length < most.perClass; i++) if (set.labels[i] === label) found.push(i)
  return found
}
