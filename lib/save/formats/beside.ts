import { readFile } from 'node:fs/promises'
import type { LayersModel } from '@tensorflow/tfjs'
import { layersMissing } from '../keras/encode.ts'
import type { Encoded } from './format.ts'

/** The Python module that defines the layers that Keras lacks. */
export const moduleName = 'graft_layers'

/** The module beside a model's file, with a word, where the model holds layers that Keras lacks. */
export async function pythonBeside(model: LayersModel, archive: boolean): Promise<Pick<Encoded, 'beside' | 'words' | 'imports'>> {
  const missing = layersMissing(model, archive)
  if (missing.length === 0) return {}
  const text = await readFile(new URL(`../${moduleName}.py`, import.meta.url))
  const names = missing.length > 4 ? `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more` : missing.join(', ')
  return {
    imports: moduleName,
    beside: new Map([[`${moduleName}.py`, [new Uint8Array(text)]]]),
    words: [['Python',
      `Keras has no layer that computes what ${names} ${missing.length > 1 ? 'do' : 'does'}: ${moduleName}.py beside the ` +
      'file defines it. Import it before load_model']],
  }
}
