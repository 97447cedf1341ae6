import { statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { didYouMean, GraftError } from '../../error.ts'
import type { Format } from './format.ts'
import { h5 } from './h5.ts'
import { keras } from './keras.ts'
import { onnx } from './onnx.ts'
import { tfjs } from './tfjs.ts'
import { weightsH5 } from './weights.ts'

/** All kinds of files, the longest extension first: `.weights.h5` ends in `.h5` too. */
const formats: Format[] = [weightsH5, onnx, tfjs, keras, h5]

/** The file that a path means, and its format. A folder means the `model.json` in it. */
export interface Wanted {
  path: string
  format: Format
}

/**
 * What a path means by its name. A path that ends in `/`, or an existing folder without an extension, means TensorFlow.js's
 * `model.json` in it. Throws a GraftError that lists the formats there are.
 */
export function formatOf(path: unknown, doing: 'save to' | 'load'): Wanted {
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
  if (/[/\\]$/.test(path) || (extname(path) === '' && statSync(path, { throwIfNoEntry: false })?.isDirectory()))
    return { path: join(path, 'model.json'), format: tfjs }
  const name = basename(path).toLowerCase(),
    format = formats.find(({ extension }) => name.endsWith(extension))
  if (format) return { path, format }
  const extension = extname(name)
  const what = extension
    ? `unknown extension '${extension}'.${didYouMean(
        extension,
        formats.map(each => each.extension),
      )}`
    : 'the name has no extension.'
  throw new GraftError(`cannot ${doing} ${path}: ${what} Known: ${known}.`)
}
