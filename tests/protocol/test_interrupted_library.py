"""An interrupt inside the library's work leaves no tensor, no open tape or scope, no temporary file, and a kernel that trains as a fresh one."""
import os
import random
import re
import time
from pathlib import Path

from harness import KernelTest

REPEATS = int(os.environ.get("GRAFT_INTERRUPTS", "6"))

SETUP = """
const xs = tf.randomNormal([64, 8], 0, 1, 'float32', 1), ys = tf.randomUniform([64, 1], 0, 1, 'float32', 2)
const make = () => {
  const dense = (units: number, seed: number, first = {}) => tf.layers.dense({ units, kernelInitializer: tf.initializers.glorotUniform({ seed }), ...first })
  const model = tf.sequential({ layers: [dense(16, 3, { inputShape: [8], activation: 'tanh' }), dense(1, 4)] })
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
  return model
}
const loss = async () => {
  const model = make()
  const { history } = await model.fit(xs, ys, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 })
  const { optimizer } = model
  model.dispose()
  optimizer.dispose()
  return history.loss
}
const big = tf.randomNormal([256, 256], 0, 1, 'float32', 5) as tf.Tensor2D
const trained = make()
await trained.fit(xs, ys, { epochs: 1, verbose: 0 })
await save(trained, 'interrupted.h5')
const fresh = JSON.stringify(await loss())
const state = () => { const s = (tf.engine() as any).state; return [s.gradientDepth, s.kernelDepth, s.scopeStack.length, s.activeTape?.length ?? 0, tf.memory().numTensors].join(' ') }
const rest = state()
"""

WORK = {
    "tf.tidy": "tf.tidy(() => { while (true) big.matMul(big).relu().sum() })",
    "a loop without operations in tf.tidy": "tf.tidy(() => { const a = big.add(1); while (true) {} })",
    "operations one after the other": "while (true) big.matMul(big).dispose()",
    "tf.grads": "while (true) tf.tidy(() => { tf.grads((a: any) => { let x = a; for (let i = 0; i < 9; i++) x = x.matMul(a).tanh(); return x.sum() })([big]) })",
    "a loop without operations in tf.grads": "tf.grads((a: any) => { const x = a.square().tanh(); while (true) {} })([big])",
    "model.fit": "await trained.fit(xs, ys, { epochs: 1e6, batchSize: 16, verbose: 0 })",
    "save": "while (true) await save(trained, 'interrupted.h5')",
}


# A save says that the old file is whole.
SAYS = {WORK["save"]: "GraftError"}


class InterruptedLibrary(KernelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kernel.run("%types off")
        cell = cls.kernel.run(SETUP, timeout=120)
        assert cell.status == "ok", cell.error

    def interrupted(self, code, after):
        """Interrupts the cell so many seconds after its code began to run."""
        client = self.kernel.client
        msg_id = client.execute(f"console.log('begun')\n{code}")
        self.kernel.wait_for("stream")
        time.sleep(after)
        client.control_channel.send(client.session.msg("interrupt_request", {}))
        return self.kernel.collect(msg_id)

    def nothing_is_left(self, code):
        moments = random.Random(7)
        for turn in range(REPEATS):
            with self.subTest(turn=turn):
                cell = self.interrupted(code, moments.uniform(0, 0.15))
                self.assertEqual((cell.status, cell.error["ename"]), ("error", SAYS.get(code, "Interrupted")), cell.error)
                self.assertIn("interrupted", cell.error["evalue"])
                self.assertEqual(self.kernel.run("state() === rest || state() + ' after ' + rest").result, "true")
        again = self.kernel.run("JSON.stringify(await loss()) === fresh", timeout=60)
        self.assertEqual(again.result, "true", again.error)
        left = [path.name for path in Path(os.environ["GRAFT_TEST_FOLDER"]).iterdir() if path.name.endswith((".part", ".lock"))]
        self.assertEqual(left, [])
        whole = self.kernel.run("const saved = await load('interrupted.h5'), { length } = saved.weights; saved.dispose(); length")
        self.assertEqual(whole.result, "4", whole.error)


for name, code in WORK.items():
    setattr(InterruptedLibrary, f"test_{re.sub(r'[^a-z]+', '_', name.lower())}", lambda self, code=code: self.nothing_is_left(code))
