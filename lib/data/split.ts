import { GraftError } from '../error.ts'
import { randomFrom, shuffled } from './random.ts'

/**
 * Splits off a part for validation, class by class (stratified), with the same result for the same seed on any machine.
 * Images with the same content stay on one side, so that no validation image was trained on.
 *
 * @param labels The class of each image.
 * @param ids Equal for equal content.
 * @param fraction How much to split off, above 0 and below 1; each class with two different images or more gives at least one.
 * @returns The positions of both parts, ascending.
 */
export function split(
  labels: ArrayLike<number>, ids: string[], fraction: number, seed: number,
): { kept: number[], taken: number[] } {
  if (!(fraction > 0 && fraction < 1)) {
    throw new GraftError(`validation must be a part between 0 and 1, e.g. 0.2; received ${fraction}.`)
  }
  // A picture filed under two classes belongs to the first, so that both copies land on one side.
  const groups = new Map<string, { label: number, members: number[] }>()
  ids.forEach((id, i) => {
    const group = groups.get(id)
    if (group) group.members.push(i)
    else groups.set(id, { label: labels[i], members: [i] })
  })
  const byClass = new Map<number, { id: string, members: number[] }[]>()
  for (const [id, { label, members }] of groups) {
    const list = byClass.get(label) ?? []
    byClass.set(label, list)
    list.push({ id, members })
  }
  const taken: number[] = []
  for (const [label, list] of byClass) {
    if (list.length < 2) continue
    const count = list.reduce((n, { members }) => n + members.length, 0)
    const wanted = Math.max(1, Math.round(count * fraction))
    // Sorted by content first: the split depends on neither file names nor the order of the folder.
    const order = shuffled(list.sort((a, b) => (a.id < b.id ? -1 : 1)), randomFrom(seed, 'split', label))
    let have = 0
    for (const { members } of order.slice(0, -1)) {
      if (have >= wanted) break
      taken.push(...members)
      have += members.length
    }
  }
  const chosen = new Set(taken)
  return { kept: ids.map((_, i) => i).filter(i => !chosen.has(i)), taken: taken.sort((a, b) => a - b) }
}
