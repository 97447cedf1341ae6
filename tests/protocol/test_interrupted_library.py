"""An interrupt inside the library's work leaves no tensor, no open tape or scope, no temporary file, and a kernel that trains as a fresh one.

Each kind is interrupted at GRAFT_INTERRUPTS moments drawn at random (3 without it; the long series takes 50), and how long that took is told.
"""
import os
import random
import re
import statistics
import time
from pathlib import Path

from harness import ROOT, KernelTest

REPEATS = int(os.environ.get("GRAFT_INTERRUPTS", "3"))

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
const wide = tf.randomNormal([512, 512], 0, 1, 'float32', 6) as tf.Tensor2D
const slow = tf.sequential({ layers: [tf.layers.dense({ units: 512, inputShape: [512] }), tf.layers.dense({ units: 512 })] })
slow.compile({ optimizer: tf.train.sgd(0.001), loss: 'meanSquaredError' })
const pictures = await data.tensors(tf.randomUniform([32, 8, 8, 3], 0, 1, 'float32', 7) as tf.Tensor4D, Array.from({ length: 32 }, (_, i) => i % 2), { batch: 8 })
const looker = tf.sequential({ layers: [tf.layers.conv2d({ filters: 4, kernelSize: 3, inputShape: [8, 8, 3] }), tf.layers.flatten(), tf.layers.dense({ units: 2, activation: 'softmax' })] })
await train(looker, pictures, { epochs: 1 })
const photos = tf.randomUniform([64, 32, 32, 3], 0, 1, 'float32', 8)
const wider = tf.sequential({ layers: [tf.layers.conv2d({ filters: 64, kernelSize: 5, inputShape: [32, 32, 3] }), tf.layers.globalAveragePooling2d({})] })
tf.dispose(wider.predict(photos))
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
    "train": "await train(looker, pictures, { epochs: 1e6 })",
    "model.predict": "while (true) tf.dispose(wider.predict(photos))",
    "a long step": "await slow.fit(wide, wide, { epochs: 1e6, batchSize: 512, verbose: 0 })",
    "save": "while (true) await save(trained, 'interrupted.h5')",
}


# A save says that the old file is whole; a training that was stopped is a result.
SAYS = {WORK["save"]: "GraftError"}
RESULTS = {WORK["train"]}


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
        self.interrupt()
        self.sent = time.monotonic()
        return self.kernel.collect(msg_id)

    def interrupt(self):
        client = self.kernel.client
        client.control_channel.send(client.session.msg("interrupt_request", {}))

    def nothing_is_left(self, code):
        moments, took = random.Random(7), []
        for turn in range(REPEATS):
            with self.subTest(turn=turn):
                cell = self.interrupted(code, moments.uniform(0, 0.15))
                took.append((cell.ended - self.sent) * 1000)
                if code in RESULTS:
                    self.assertEqual(cell.status, "ok", cell.error)
                    self.assertIn("interrupted", cell.result)
                    self.assertEqual(self.kernel.run("_.stopped").result, "'interrupted'")
                else:
                    self.assertEqual((cell.status, cell.error["ename"]), ("error", SAYS.get(code, "Interrupted")), cell.error)
                    self.assertIn("interrupted", cell.error["evalue"])
                self.nothing_is_open()
        self.note = f"{len(took)} of {REPEATS}, median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms"
        self.trains_as_fresh()

    def nothing_is_open(self):
        self.assertEqual(self.kernel.run("state() === rest || state() + ' after ' + rest").result, "true")

    def trains_as_fresh(self):
        again = self.kernel.run("JSON.stringify(await loss()) === fresh", timeout=60)
        self.assertEqual(again.result, "true", again.error)
        left = [path.name for path in Path(os.environ["GRAFT_TEST_FOLDER"]).iterdir() if path.name.endswith((".part", ".lock"))]
        self.assertEqual(left, [])
        whole = self.kernel.run("const saved = await load('interrupted.h5'), { length } = saved.weights; saved.dispose(); length")
        self.assertEqual(whole.result, "4", whole.error)


    def test_what_is_broken_off_by_force(self):
        # A step that goes on for seconds without an operation of its own ends at the second interrupt, with its scopes and its tape.
        for code in (
            "tf.tidy(() => { big.add(1); host().section!(() => { display('in it'); for (;;); }) })",
            "tf.grads((a: any) => { const x = a.square().tanh(); host().section!(() => { display('in it'); for (;;); }); return x })([big])",
        ):
            with self.subTest(code):
                msg_id = self.kernel.client.execute(f"import {{ host }} from '{ROOT / 'lib' / 'host.ts'}'\n{code}")
                self.kernel.wait_for("display_data")
                self.interrupt()
                self.assertIn("Interrupt again", self.kernel.wait_for("stream")["content"]["text"])
                time.sleep(0.2)
                self.interrupt()
                self.assertEqual(self.kernel.collect(msg_id).error["ename"], "Interrupted")
                self.nothing_is_open()
        self.trains_as_fresh()


for name, code in WORK.items():
    setattr(InterruptedLibrary, f"test_{re.sub(r'[^a-z]+', '_', name.lower())}", lambda self, code=code: self.nothing_is_left(code))
