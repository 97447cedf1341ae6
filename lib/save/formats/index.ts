import { existsSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { didYouMean, GraftError } from '../../error.ts'
import type { Format } from './format.ts'
import { h5 } from './h5.ts'
import { keras } from './keras.ts'
import { onnx } from './onnx.ts'
import { savedModel } from './saved-model.ts'
import { tfjs } from './tfjs.ts'
import { weightsH5 } from './weights.ts'

/** All kinds of files, the longest extension first: `.weights.h5` ends in `.h5` too. */
const formats: Format[] = [weightsH5, onnx, savedModel, tfjs, keras, h5]

/** What a folder may hold, by the name of the file that stands for it. */
const folders = {
  'TensorFlow.js': { file: 'model.json', format: tfjs },
  SavedModel: { file: 'saved_model.pb', format: savedModel },
}
export type FolderFormat = keyof typeof folders
export const folderFormats = Object.keys(folders) as FolderFormat[]

/** The file that a path means, and its format. A folder means a file in it. */
export interface Wanted {
  path: string
  format: Format
}

/**
 * What a path means by its name. A path that ends in `/`, or an existing folder without an extension, means the file in it that
 * stands for the `folder` that is asked for, else for the one that is there, else for TensorFlow.js's. Throws a GraftError that
 * lists the formats there are.
 */
export function formatOf(path: unknown, doing: 'save to' | 'load', folder?: FolderFormat): Wanted {
  const known = formats
    .toReversed()
    .map(({ extension, what }) => `${extension} (${what})`)
    .join(', ')
  if (typeof path !== 'string' || path === '')
    throw new GraftError(`expected a file name with one of the extensions ${known}. Received: ${String(path)}.`)
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    throw new GraftError(`cannot ${doing} ${path}: it is an address. Give the path of a file, such as ./model.h5.`)
  if (/^~[/\\]/.test(path))
    throw new GraftError(
      `cannot ${doing} ${path}: ~ is known to shells only. Give the whole path, or os.homedir() + '${path.slice(1)}'.`,
    )
  if (/\.\w+[/\\]$/.test(path))
    throw new GraftError(`cannot ${doing} ${path}: it names a folder. Give a file in it, such as ${path}model.h5.`)
  const name = basename(path).toLowerCase(), isEnd = (end: string) => end.startsWith('.') ? name.endsWith(end) : name === end
  const format = formats.find(({ extension }) => isEnd(extension))
  if (format && folder && format !== folders[folder].format)
    throw new GraftError(`cannot ${doing} ${path}: format '${folder}' is for folders. Leave it out, or name a folder.`)
  if (format) return { path, format }
  if (folder || /[/\\]$/.test(path) || (extname(path) === '' && statSync(path, { throwIfNoEntry: false })?.isDirectory())) {
    const there = folderFormats.find(each => existsSync(join(path, folders[each].file)))
    const { file, format } = folders[folder ?? (doing === 'load' ? there : undefined) ?? 'TensorFlow.js']
    return { path: join(path, file), format }
  }
  const extension = extname(name)
  const what = extension
    ? `unknown extension '${extension}'.${didYouMean(
        extension,
        formats.map(each => each.extension),
      )}`
    : 'the name has no extension.'
  throw new GraftError(`cannot ${doing} ${path}: ${what} Known: ${known}.`)
}
