"""A training that was interrupted, or whose kernel was killed, goes on in the next kernel with the losses it would have had."""
import json
import os
import time
import unittest
from pathlib import Path

from harness import ROOT, Kernel

EPOCHS = 60
DIGITS = ROOT / "notebooks" / "images" / "digits" / "train"

# Dropout, an optimizer with a memory and a schedule: each would show where a resumed run begins another way.
SETUP = f"""
const {{ readdirSync }} = await import('node:fs')
const some = (folder: string) => readdirSync(folder).sort().slice(0, 8).map(name => `${{folder}}/${{name}}`)
const pictures = await data.images({{ three: some('{DIGITS}/3'), seven: some('{DIGITS}/7') }}, {{ size: 16, batch: 4, validation: 0.25 }})
const drawn = (seed: number) => tf.initializers.glorotUniform({{ seed }})
const made = () => tf.sequential({{ layers: [
  tf.layers.conv2d({{ filters: 4, kernelSize: 3, activation: 'relu', inputShape: [16, 16, 3], kernelInitializer: drawn(1) }}),
  tf.layers.flatten(), tf.layers.dropout({{ rate: 0.3 }}),
  tf.layers.dense({{ units: 2, activation: 'softmax', kernelInitializer: drawn(2) }}),
] }})
const wishes = {{ epochs: {EPOCHS}, learningRate: 0.01, schedule: 'cosine' }} as const
"""
LOSSES = "JSON.stringify([_.history.loss, _.history.valLoss])"


class ResumedTraining(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        runs = str(Path(os.environ["GRAFT_TEST_FOLDER"]) / "runs")
        cls.kernel = Kernel(env={"GRAFT_RUNS": runs, "GRAFT_ENGINE": "wasm"})
        cls.set_up()
        cls.ok("await train(made(), pictures, wishes)")
        cls.whole = cls.ok(LOSSES)

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    @classmethod
    def ok(cls, code):
        cell = cls.kernel.run(code, timeout=120)
        assert cell.status == "ok", cell.error
        return cell.result

    @classmethod
    def set_up(cls):
        cls.ok("%types off")
        cls.ok(SETUP)

    def begun(self, code):
        """Sends a cell that trains, and waits until some epochs of it are over."""
        msg_id = self.kernel.client.execute(code)
        while True:
            shown = self.kernel.wait_for("update_display_data")["content"]["data"].get("text/plain", "")
            if shown.startswith("Epoch "):
                return msg_id

    def restart(self, now):
        client = self.kernel.client
        self.kernel.manager.restart_kernel(now=now)
        client.wait_for_ready(timeout=60)

    def resumed(self):
        """In a kernel that knows nothing of the run but what is on disk."""
        self.ok("const found = await runs.attach(runs.last())")
        done = int(self.ok("found.history.loss.length"))
        self.assertTrue(0 < done < EPOCHS, done)
        self.ok("await train.resume(found)")
        self.assertEqual(json.loads(self.ok(LOSSES).strip("'")), json.loads(self.whole.strip("'")))
        self.note = f"went on after {done} of {EPOCHS} epochs"

    def test_interrupted_then_restarted(self):
        msg_id = self.begun("await train(made(), pictures, wishes)")
        client = self.kernel.client
        client.control_channel.send(client.session.msg("interrupt_request", {}))
        self.assertIn("interrupted", self.kernel.collect(msg_id).result)
        self.restart(now=False)
        self.resumed()
        self.set_up()

    def test_killed_in_mid_run(self):
        self.begun("await train(made(), pictures, wishes)")
        self.restart(now=True)
        self.resumed()
        self.set_up()
