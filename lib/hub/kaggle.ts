import { didYouMean, GraftError } from '../error.ts'

/** A model on Kaggle, as kagglehub names it: `google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2`. */
export interface KaggleModel {
  owner: string
  model: string
  framework: Framework
  variation: string
  /** `null`: the newest one. */
  version: number | null
}

/** The frameworks whose files open as layers, as Kaggle's API spells them. */
const frameworks = ['tensorFlow1', 'tensorFlow2', 'tfJs'] as const
export type Framework = (typeof frameworks)[number]

/** Kaggle's other frameworks, which a handle may name. */
const others: Record<string, string> = {
  tflite: 'TFLite', pytorch: 'PyTorch', jax: 'JAX', flax: 'Flax', keras: 'Keras', transformers: 'Transformers', onnx: 'ONNX',
  coral: 'Coral', scikitlearn: 'scikit-learn', other: 'another framework',
}

/** Hosts that Kaggle's credentials may be sent to, and no other. */
export const isKaggle = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' && ['kaggle.com', 'www.kaggle.com', 'api.kaggle.com'].includes(hostname)

export const kaggleOrigin = 'https://www.kaggle.com'

/**
 * Reads kagglehub's form of a handle, with or without a version, or gives null for anything else. The framework's case does not
 * matter, as on Kaggle.
 *
 * @throws GraftError for a framework whose files are no SavedModel and no TensorFlow.js model
 */
export function parseKagglehub(text: string): KaggleModel | null {
  const parts = text.split('/')
  if (parts.length < 4 || parts.length > 5 || parts.some(part => !/^[\w.-]+$/.test(part))) return null
  const [owner, model, framework, variation, version] = parts
  if (!isFramework(framework) || version !== undefined && !/^\d+$/.test(version)) return null
  return { owner, model, framework: frameworkOf(framework, text), variation, version: version ? Number(version) : null }
}

/**
 * Reads the address of a model's page, old (`/models/o/m/frameworks/TensorFlow2/variations/v/versions/2`) or new
 * (`/models/o/m/tensorFlow2/v/2`), or of its download (`/api/v1/models/o/m/tensorFlow2/v/2/download`).
 *
 * @throws GraftError for a Kaggle address that names no variation
 */
export function parseKaggleAddress({ pathname, href }: URL): KaggleModel {
  const parts = pathname.replace(/^\/api\/v1(?=\/)/, '').split('/').filter(part => part)
  if (parts[0] === 'models') {
    const words = parts.slice(1).filter((part, i) => !(i >= 2 && /^(frameworks|variations|versions|download)$/i.test(part)))
    const found = parseKagglehub(words.join('/'))
    if (found) return found
  }
  throw new GraftError(`'${href}' names no model to download. On the model's page choose a framework and a variation; the address ` +
    `is then e.g. ${kaggleOrigin}/models/google/mobilenet-v2/tensorFlow2/100-224-feature-vector/2.`)
}

/** The page of a model, for people. */
export const pageOf = ({ owner, model, framework, variation, version }: KaggleModel): string =>
  `${kaggleOrigin}/models/${[owner, model, framework, variation, version].filter(part => part !== null).join('/')}`

/** Where Kaggle's API tells of a variation (`get`) or sends a version's files as an archive (`download`). */
export const apiOf = ({ owner, model, framework, variation, version }: KaggleModel, origin: string): string =>
  `${origin}/api/v1/models/${[owner, model, framework, variation, version, version === null ? 'get' : 'download']
    .filter(part => part !== null).map(part => encodeURIComponent(part)).join('/')}`

const isFramework = (text: string) =>
  frameworks.some(one => one.toLowerCase() === text.toLowerCase()) || Object.hasOwn(others, text.toLowerCase())

function frameworkOf(text: string, handle: string): Framework {
  const found = frameworks.find(one => one.toLowerCase() === text.toLowerCase())
  if (found) return found
  throw new GraftError(`'${handle}' holds files of ${others[text.toLowerCase()] ?? text}. Expected the variation for tensorFlow2, ` +
    `tensorFlow1 or tfJs, which Kaggle lists beside it.${didYouMean(text, frameworks)}`)
}
