import type { LayersModel } from '@tensorflow/tfjs'
import { ImageData } from '../data/images.ts'
import { ImageSet } from '../data/set.ts'
import { GraftError, inWords } from '../error.ts'
import { checkFit } from './checks.ts'
import { Feeder } from './features.ts'
import { objectiveOf } from './objective.ts'
import { measure } from './pass.ts'
import { borrowPrefix } from './prefixes.ts'
import type { Run } from './run.ts'
import { forgetting } from './warnings.ts'
import { forgetFunctions } from './written.ts'

/**
 * An older task to keep an eye on: a model that shares its trunk with the one that is trained, and images of that task. Its
 * accuracy is measured after each epoch, and a fall is told.
 */
export interface OldTask { model: LayersModel, data: ImageData | ImageSet }

const keyOf = (name: string) => `${name}Accuracy`

interface Task { name: string, model: LayersModel, set: ImageSet, before: number }

/** The tasks that are meant. @throws GraftError for what is none */
function tasksOf(watch: Record<string, OldTask>): Task[] {
  return Object.entries(watch).map(([name, task]) => {
    if (!/^[a-z]\w*$/.test(name)) throw new GraftError(`watch: '${name}' is no name for a task. Expected one word such as ` +
      `letters.`)
    const { model, data } = task ?? {}
    const set = data instanceof ImageData ? data.parts.test ?? data.parts.validation ?? data.train : data
    if (!(set instanceof ImageSet)) {
      throw new GraftError(`watch.${name} must be { model, data }, e.g. { model: oldModel, data: letters.test }; received ` +
        `${inWords(task)}.`)
    }
    checkFit(model, set)
    return { name, model, set, before: NaN }
  })
}

/** What the older tasks are called in the history. */
export const watchedNames = (watch: Record<string, OldTask>): string[] => tasksOf(watch).map(({ name }) => keyOf(name))

/** The older tasks of a run. */
export class Watched {
  readonly #tasks: Task[]

  private constructor(tasks: Task[]) {
    this.#tasks = tasks
  }

  /** Measures each before anything is learned. */
  static async begin(watch: Record<string, OldTask>, run: Run): Promise<Watched> {
    const tasks = tasksOf(watch)
    for (const task of tasks) task.before = run.watched[task.name] ??= await accuracy(task, 32, () => false)
    return new Watched(tasks)
  }

  /** Their accuracies now, by name in the history. */
  async measure(batch: number, stopped: () => boolean): Promise<Record<string, number>> {
    const found: Record<string, number> = {}
    for (const task of this.#tasks) found[keyOf(task.name)] = await accuracy(task, batch, stopped)
    return found
  }

  /** What to say of a task that is being unlearned. */
  warning(run: Run): string | null {
    for (const { name, before } of this.#tasks) {
      const words = forgetting(run, name, before, run.history[keyOf(name)].at(-1)!)
      if (words) return words
    }
    return null
  }
}

/** The model changes with each epoch, so that what is ready of it is made anew. */
async function accuracy({ model, set }: Task, batch: number, stopped: () => boolean): Promise<number> {
  const { prefix, release } = borrowPrefix(model), feeder = new Feeder(model, prefix)
  try {
    const goal = objectiveOf(model)
    return goal.read(await measure(feeder, goal, set, batch, { stopped }))[1]
  } finally {
    forgetFunctions(feeder)
    await release()
  }
}
