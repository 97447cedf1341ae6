// How good `advise` is: on sets that it was never tuned on, the method it recommends against the best of the three, and its
// forecast of the time against the time taken.
//   node bench/advise/run.ts [check|tune] [seeds] [--cpu] [--only runes,hues]
// --cpu counts processor time instead of the clock, for a machine that does other work too. Runs are not logged: what a log takes on
// disk is no part of the forecast.
// `check` are the ten (data set, size) pairs of the claim; `tune` are others, on which the rule may be shaped.
import { join } from 'node:path'
import { advise, customize, data, hub, predict, tf, train } from '../../lib/index.ts'
import { host, installHost } from '../../lib/host.ts'
import type { Method } from '../../lib/customize/recommend.ts'
import { drawn, type Kind } from './draw.ts'

const sets = {
  check: [['runes', 8], ['runes', 25], ['arrows', 8], ['arrows', 25], ['polygons', 10], ['polygons', 30], ['grains', 10],
    ['grains', 30], ['hues', 10], ['hues', 30]],
  tune: [['bars', 8], ['bars', 25], ['weaves', 12], ['weaves', 30], ['dice', 10], ['dice', 30]],
} satisfies Record<string, [Kind, number][]>

process.env.GRAFT_RUNS = 'off'
if (process.argv.includes('--cpu')) {
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
  performance.now = used
  Date.now = used
}
const chosen = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1].split(',') : null
const which = process.argv[2] === 'tune' ? 'tune' : 'check', seeds = Number(process.argv[3] ?? 1), epochs = 10, tested = 50
const said = host()
installHost({ ...said, display() {}, update() {} })
const trunk = join(import.meta.dirname, '..', '..', 'notebooks', 'models', 'mobilenet_v2_letters_feature_vector')
const methods: Method[] = ['extract', 'fineTune', 'modify']
const percent = (x: number) => `${(100 * x).toFixed(1)}`.padStart(6)

async function setOf(kind: Kind, perClass: number, side: number, seed: string) {
  const { pixels, labels } = drawn(kind, perClass, side, seed), x = tf.tensor4d(pixels, [labels.length, side, side, 3])
  const made = await data.tensors(x, labels)
  x.dispose()
  return made
}

console.log(`${which}, ${epochs} epochs, accuracy in % over ${tested} test images a class, mean of ${seeds} seeds; seconds: forecast / taken`)
console.log(`${'set'.padEnd(14)}${methods.map(method => method.padStart(8)).join('')}  advised   behind  ${methods.map(method => method.padStart(16)).join('')}`)
let good = 0, timely = 0
const pairs = sets[which].filter(([kind]) => !chosen || chosen.includes(kind))
for (const [kind, perClass] of pairs) {
  const right: Record<Method, number> = { extract: 0, fineTune: 0, modify: 0 }
  let line = '', advised: Method = 'extract', foretold = true
  for (let seed = 1; seed <= seeds; seed++) {
    const base = () => hub.load(trunk, { fresh: true }), first = await base(), side = first.inputs[0].shape[1]!
    const learned = await setOf(kind, perClass, side, `train ${seed}`), test = await setOf(kind, tested, side, `test ${seed}`)
    const advice = await advise(first, learned, { epochs })
    if (seed === 1) advised = advice.method
    for (const method of methods) {
      const own = method === advice.method ? advice.options : {}, opened = await base()
      const add = [tf.layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: tf.initializers.glorotUniform({ seed }) })]
      const model = method === 'modify' ? customize.modify(opened, { classes: learned.classes, add, ...own })
        : customize[method](opened, { classes: learned.classes, ...own })
      const started = performance.now()
      await train(model, learned, { epochs, seed, show: false, ...method === 'extract' ? {} : { learningRate: { trunk: 1e-4,
        head: 1e-3 } } })
      const taken = (performance.now() - started) / 1000, { seconds } = advice.forecast[method]
      right[method] += (await predict(model, test.train)).accuracy! / seeds
      if (seed === 1) line += `${seconds.toFixed(2)} / ${taken.toFixed(2)}`.padStart(16)
      if (seed === 1 && method === advice.method) foretold = Math.abs(seconds / taken - 1) <= 0.3
      model.dispose()
    }
    if (seed === 1) console.error(`${kind} ${perClass}: last ${percent(advice.findings.probe.accuracy)} half ${percent(advice.findings.half.accuracy)} earlier ${advice.findings.earlier.map(({ stride, probe }) =>
      `${stride}:${percent(probe.accuracy)}`).join(' ')} distance ${advice.findings.distance?.toFixed(2)}`)
  }
  const behind = Math.max(...Object.values(right)) - right[advised]
  if (behind <= 0.02) good++
  if (foretold) timely++
  console.log(`${`${kind} ${perClass}`.padEnd(14)}${methods.map(method => percent(right[method]).padStart(8)).join('')}  ${advised.padEnd(9)}${percent(behind)}  ${line}`)
}
console.log(`advised within 2 points of the best: ${good} of ${pairs.length}; its time within 30 %: ${timely}`)
