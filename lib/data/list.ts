import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { GraftError, inWords } from '../error.ts'
import { parseCsv } from './csv.ts'

/** One image file and its class. */
export interface Entry { file: string, label: number }

/** The files of a data set before any is read, by part. */
export interface Listing {
  /** The folder or table as the user named it, for messages. */
  source: string
  classes: string[]
  train: Entry[]
  validation: Entry[] | null
  test: Entry[] | null
  /** How many files are no images: `.DS_Store`, `Thumbs.db`, notes, … */
  ignored: number
}

/** Files of one class or of one part, by class name. */
export type FilesByClass = Record<string, string[]>

const extensions = new Set([
  '.jpg', '.jpeg', '.jfif', '.png', '.gif', '.bmp', '.webp', '.tif', '.tiff', '.avif', '.heic', '.heif',
])
const parts = { train: ['train', 'training'], validation: ['validation', 'valid', 'val'], test: ['test', 'testing'] }
const naturally = new Intl.Collator('en', { numeric: true })

/** Sorts names as people do: `2` before `10`. */
export const naturalOrder = (a: string, b: string): number => naturally.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0)

/** Whether a file's name says that it is an image. Hidden files (`._cat.jpg` of macOS) are none. */
export const looksLikeImage = (file: string): boolean =>
  !basename(file).startsWith('.') && extensions.has(extname(file).toLowerCase())

/**
 * Lists a data set: a folder of class folders, a folder with `train/` and `test/` (and `validation/` or `val/`), `{ class: files
 * }`, or a `.csv` with the columns `file` and `label` (and `split`), its paths relative to the table.
 */
export async function list(source: string | FilesByClass): Promise<Listing> {
  if (typeof source !== 'string') {
    if (Object.prototype.toString.call(source) !== '[object Object]' ||
      !Object.values(source).every(files => Array.isArray(files) && files.every(file => typeof file === 'string'))) {
      throw new GraftError('expected a folder with one folder per class, a .csv, or { class: [files] }; received ' +
        `${inWords(source)}.`)
    }
    return listClasses('{ class: files }', source)
  }
  const kind = await stat(source).catch(() => null)
  if (!kind) {
    throw new GraftError(`no such folder: '${source}' (looked for ${resolve(source)}). Expected a folder with one folder per ` +
      `class.`)
  }
  if (kind.isFile()) {
    if (extname(source).toLowerCase() === '.csv') return listTable(source)
    throw new GraftError(`'${source}' is a file. Expected a folder with one folder per class, a .csv, or { class: files }.`)
  }
  const { folders } = await look(source)
  const found = Object.fromEntries(Object.entries(parts).map(([part, names]) =>
    [part, folders.find(folder => names.includes(folder.toLowerCase()))])) as Record<keyof typeof parts, string | undefined>
  if (!found.train || !(found.validation || found.test)) return listFolder(source)
  const train = await listFolder(join(source, found.train))
  const listing: Listing = { ...train, source, validation: null, test: null }
  for (const part of ['validation', 'test'] as const) {
    if (!found[part]) continue
    const other = await listFolder(join(source, found[part]), train.classes)
    listing[part] = other.train
    listing.ignored += other.ignored
  }
  return listing
}

/** How many files a listing names. */
export const countOf = ({ train, validation, test }: Listing): number =>
  train.length + (validation?.length ?? 0) + (test?.length ?? 0)

/**
 * Every image under a folder, at any depth, in natural order; how many other files there are. Links to folders are not followed.
 */
export async function imagesUnder(folder: string): Promise<{ images: string[], ignored: number }> {
  const { files, folders } = await look(folder, false)
  const images = files.filter(looksLikeImage).map(file => join(folder, file))
  let ignored = files.length - images.length
  for (const inner of folders) {
    const below = await imagesUnder(join(folder, inner))
    images.push(...below.images)
    ignored += below.ignored
  }
  return { images, ignored }
}

async function listFolder(folder: string, expected?: string[]): Promise<Listing> {
  const { files, folders } = await look(folder)
  const loose = files.filter(looksLikeImage).length
  const byClass: FilesByClass = Object.create(null), empty: string[] = []
  let ignored = files.length
  for (const name of folders) {
    const { images, ignored: others } = await imagesUnder(join(folder, name))
    ignored += others
    if (images.length) byClass[name] = images
    else empty.push(others ? `'${name}' (${others} other files)` : `'${name}'`)
  }
  const classes = Object.keys(byClass)
  if (!classes.length && loose) {
    throw new GraftError(`'${folder}' holds ${loose} images but no class folders. Expected one folder per class, e.g. ` +
      `'${join(folder, 'cat', files.find(looksLikeImage)!)}'; or pass { cat: [files], dog: [files] }.`)
  }
  if (!classes.length) {
    throw new GraftError(`no images in '${folder}'${ignored ? ` (${ignored} other files)` : ''}. Expected one folder per ` +
      `class, each with ${[...extensions].slice(0, 4).join(', ')} … files.`)
  }
  if (empty.length) {
    throw new GraftError(`${empty.length === 1 ? 'the class folder' : 'the class folders'} ${empty.join(', ')} in '${folder}' ` +
      `${empty.length === 1 ? 'holds' : 'hold'} no images. Add some or remove the folder.`)
  }
  if (classes.length === 1) {
    const inner = join(folder, classes[0]), { folders: below } = await look(inner)
    if (below.length > 1) {
      throw new GraftError(`'${folder}' holds one folder only. Did you mean '${inner}', which holds ${below.length}?`)
    }
  }
  if (expected) compare(folder, classes, expected)
  const listing = await listClasses(folder, byClass, expected ?? classes.sort(naturalOrder))
  return { ...listing, ignored }
}

function compare(folder: string, classes: string[], expected: string[]): void {
  const unknown = classes.filter(name => !expected.includes(name))
  if (unknown.length) {
    throw new GraftError(`'${folder}' has the class ${unknown.map(name => `'${name}'`).join(', ')}, which the training ` +
      `folder lacks. Expected only: ${expected.join(', ')}.`)
  }
}

async function listClasses(source: string, byClass: FilesByClass, order = Object.keys(byClass)): Promise<Listing> {
  const empty = order.filter(name => name in byClass && !byClass[name].length)
  if (!order.length || empty.length) {
    throw new GraftError(`${order.length ? `the class '${empty[0]}' has no files` : 'no classes'} in ${source}. Expected at ` +
      `least one file per class.`)
  }
  const train = order.flatMap((name, label) => (byClass[name] ?? []).map(file => ({ file, label })))
  return { source, classes: order, train, validation: null, test: null, ignored: 0 }
}

async function listTable(file: string): Promise<Listing> {
  const [header = [], ...rows] = parseCsv(await readFile(file, 'utf8'))
  const column = (...names: string[]) => header.findIndex(cell => names.includes(cell.trim().toLowerCase()))
  const at = { file: column('file', 'filename', 'path', 'image'), label: column('label', 'class'),
    split: column('split', 'part') }
  if (at.file < 0 || at.label < 0) {
    throw new GraftError(`'${file}' has the columns ${header.join(', ') || '(none)'}. Expected 'file' and 'label' (and ` +
      `'split' if you like).`)
  }
  const classes = [...new Set(rows.map(row => row[at.label]))].sort(naturalOrder)
  const split = { train: [] as Entry[], validation: [] as Entry[], test: [] as Entry[] }
  rows.forEach((row, i) => {
    const word = (at.split < 0 ? 'train' : row[at.split] ?? '').trim().toLowerCase()
    const part = (Object.keys(parts) as (keyof typeof parts)[]).find(name => parts[name].includes(word))
    if (!part) throw new GraftError(`line ${i + 2} of '${file}' has the split '${word}'. Expected train, validation or test.`)
    split[part].push({ file: resolve(dirname(file), row[at.file]), label: classes.indexOf(row[at.label]) })
  })
  if (!split.train.length) {
    throw new GraftError(`no training images in '${file}' (${rows.length} rows). Expected a row per image.`)
  }
  return {
    source: file, classes, train: split.train, ignored: 0,
    validation: split.validation.length ? split.validation : null, test: split.test.length ? split.test : null,
  }
}

async function look(folder: string, followLinks = true): Promise<{ files: string[], folders: string[] }> {
  const files: string[] = [], folders: string[] = []
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const kind = item.isSymbolicLink() && followLinks ? await stat(join(folder, item.name)).catch(() => item) : item
    if (!kind.isDirectory()) files.push(item.name)
    else if (!item.name.startsWith('.') && item.name !== '__MACOSX') folders.push(item.name)
  }
  return { files: files.sort(naturalOrder), folders: folders.sort(naturalOrder) }
}
