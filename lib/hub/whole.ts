import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The kinds of model folders that can be opened. */
export type FolderKind = 'SavedModel' | 'TensorFlow.js'

/** What a folder holds, by the files at its root; null where it is no model's. */
export async function kindOfFolder(folder: string): Promise<FolderKind | null> {
  const names = await readdir(folder).catch(() => [] as string[])
  if (names.includes('saved_model.pb') || names.includes('saved_model.pbtxt')) return 'SavedModel'
  return names.includes('model.json') ? 'TensorFlow.js' : null
}

/**
 * Whether a folder holds a whole model. An empty folder does not count, which an interrupted program leaves, nor one without its
 * weights, which a system leaves that clears old files from its temporary folder, where tensorflow_hub keeps models.
 */
export async function isWhole(folder: string): Promise<boolean> {
  switch (await kindOfFolder(folder)) {
    case 'SavedModel': return await hasVariables(join(folder, 'variables'))
    case 'TensorFlow.js': return await hasShards(folder)
    case null: return false
  }
}

/** A model without weights has no folder for them; else there are an index and all parts of the data. */
async function hasVariables(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => null)
  if (!names?.length) return !names
  const counts = names.flatMap(name => /^variables\.data-\d+-of-(\d+)$/.exec(name)?.[1] ?? []).map(Number)
  return names.includes('variables.index') && counts.length > 0 && counts.every(count => count === counts.length)
}

async function hasShards(folder: string): Promise<boolean> {
  const paths = shardsIn(await readFile(join(folder, 'model.json'), 'utf8').catch(() => ''))
  const there = await Promise.all(paths.map(path => stat(join(folder, path)).then(info => info.isFile(), () => false)))
  return there.every(Boolean)
}

/** The weight files that a `model.json` names, relative to it. */
export function shardsIn(text: string): string[] {
  try {
    const { weightsManifest } = JSON.parse(text) as { weightsManifest?: { paths?: unknown }[] }
    return (weightsManifest ?? []).flatMap(({ paths }) => Array.isArray(paths) ? paths.map(String) : [])
  } catch {
    return []
  }
}
