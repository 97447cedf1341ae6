import { dtypes, shapeProto } from './attributes.ts'
import type { Spec } from './functions.ts'
import { bool, bytes, entry, int, message, nested, text } from './message.ts'

/** A Python value as `struct.proto` writes it. */
export type Structure = Uint8Array

export const none: Structure = message(nested(1))
export const flag = (value: boolean): Structure => message(bool(14, value))
export const word = (value: string): Structure => message(text(13, value))
export const list = (values: Structure[]): Structure => message(nested(51, ...values.map(value => bytes(1, value))))
export const tuple = (values: Structure[]): Structure => message(nested(52, ...values.map(value => bytes(1, value))))
export const dictionary = (values: Record<string, Structure>): Structure =>
  message(nested(53, ...Object.entries(values).map(([key, value]) => entry(1, key, value))))
export const tensorSpec = ({ name, shape }: Spec): Structure =>
  message(nested(33, text(1, name), bytes(2, shapeProto(shape)), int(3, dtypes.float32)))

/** One tensor, or a list of several. */
export const tensors = (specs: Spec[]): Structure => specs.length === 1 ? tensorSpec(specs[0]) : list(specs.map(tensorSpec))

/** Python's `FullArgSpec` of a function that was given these arguments, and defaults for the last of them. */
export function functionSpec(
  args: string[], { defaults = [], keywords = [] }: { defaults?: Structure[], keywords?: string[] } = {},
): Uint8Array {
  const values: Record<string, Structure> = {
    args: list(args.map(word)), varargs: none, varkw: none, defaults: defaults.length ? tuple(defaults) : none,
    kwonlyargs: list(keywords.map(word)), kwonlydefaults: none, annotations: dictionary({}),
  }
  const named = Object.entries(values).map(([key, value]) => nested(2, text(1, key), bytes(2, value)))
  return message(bytes(1, message(nested(54, text(1, 'FullArgSpec'), ...named))), bytes(5, none))
}
