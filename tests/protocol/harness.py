"""Starts the kernel through jupyter_client, and runs a file of tests: `python harness.py test_output.py`. One line of JSON a test."""
import importlib
import json
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path
from queue import Empty

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 30
KERNEL_NAME = "graft-test"


def write_kernelspec(folder: Path) -> None:
    """A kernelspec as the installer writes it, for this checkout."""
    spec = folder / "kernels" / KERNEL_NAME
    spec.mkdir(parents=True)
    node = os.environ.get("GRAFT_NODE", "node")
    spec.joinpath("kernel.json").write_text(json.dumps({
        "argv": [node, str(ROOT / "kernel" / "main.js"), "{connection_file}"],
        "display_name": "TypeScript (Graft)", "language": "typescript", "interrupt_mode": "message",
        "kernel_protocol_version": "5.6", "metadata": {"debugger": True, "supported_encryption": ["curve"]},
    }))


class Cell:
    """What came of a cell: its reply, and the messages on iopub between busy and idle."""

    def __init__(self, reply, messages, ended):
        self.reply, self.messages, self.ended = reply, messages, ended
        self.content = reply["content"]
        self.status = self.content["status"]

    def of(self, msg_type):
        return [m["content"] for m in self.messages if m["msg_type"] == msg_type]

    def text(self, name="stdout"):
        return "".join(c["text"] for c in self.of("stream") if c["name"] == name)

    @property
    def result(self):
        results = self.of("execute_result")
        return results[0]["data"]["text/plain"] if results else None

    @property
    def error(self):
        errors = self.of("error")
        return errors[0] if errors else None


class Kernel:
    """A running kernel and one client."""

    def __init__(self, env=None, cwd=None, **options):
        self.manager = KernelManager(kernel_name=KERNEL_NAME, **options)
        self.manager.start_kernel(env={**os.environ, **(env or {})}, cwd=cwd or os.environ["GRAFT_TEST_FOLDER"])
        self.client = self.connect(self.manager.client())

    def other_client(self):
        """A client with a session of its own: the manager's clients share one, and so one address."""
        client = BlockingKernelClient(connection_file=self.manager.connection_file)
        client.load_connection_file()
        return client

    def connect(self, client):
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        return client

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def run(self, code, timeout=TIMEOUT, client=None, **options):
        client = client or self.client
        return self.collect(client.execute(code, **options), timeout, client)

    def collect(self, msg_id, timeout=TIMEOUT, client=None):
        client = client or self.client
        messages = self.until_idle(msg_id, timeout, client)
        ended = time.monotonic()
        return Cell(self.reply(msg_id, timeout, client), messages, ended)

    def until_idle(self, msg_id, timeout=TIMEOUT, client=None):
        messages = []
        while True:
            message = (client or self.client).get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return messages

    def reply(self, msg_id, timeout=TIMEOUT, client=None, channel="shell"):
        client = client or self.client
        get = client.get_shell_msg if channel == "shell" else client.get_control_msg
        while True:
            message = get(timeout=timeout)
            if message["parent_header"].get("msg_id") == msg_id:
                return message

    def request(self, msg_type, content=None, channel="shell"):
        """Sends any request; gives its reply."""
        message = self.client.session.msg(msg_type, content or {})
        (self.client.shell_channel if channel == "shell" else self.client.control_channel).send(message)
        return self.reply(message["header"]["msg_id"], channel=channel)

    def late(self, seconds=1.0):
        """What still comes on iopub in this time."""
        messages, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                messages.append(self.client.get_iopub_msg(timeout=0.1))
            except Empty:
                pass
        return messages

    def wait_for(self, msg_type, timeout=TIMEOUT):
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["msg_type"] == msg_type:
                return message

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class KernelTest(unittest.TestCase):
    """Tests that share one kernel."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()
        cls.run_cell = cls.kernel.run

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()


class JsonResult(unittest.TestResult):
    """Prints each test's outcome as it is known. A test is as its subtests."""

    def startTest(self, test):
        super().startTest(test)
        self.bad = []

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.bad.append(f"{subtest}: {self._exc_info_to_string(error, test)}")

    def addError(self, test, error):
        self.say(test, "failed", self._exc_info_to_string(error, test))

    addFailure = addError

    def addSkip(self, test, reason):
        self.say(test, "skipped", reason)

    def addSuccess(self, test):
        self.say(test, "failed" if self.bad else "ok", "\n".join(self.bad) or getattr(test, "note", ""))

    def stopTest(self, test):
        # A test whose subtests failed is neither a success nor a failure of its own to unittest.
        if self.bad and not self.said:
            self.say(test, "failed", "\n".join(self.bad))
        self.said = False

    said = False

    def say(self, test, status, detail=""):
        self.said = True
        name = test.id().split(".", 1)[-1] if hasattr(test, "id") else str(test)
        print(json.dumps({"name": name, "status": status, "detail": detail}), flush=True)


def main():
    # Tests import this file by its name, not as __main__.
    name = Path(sys.argv[1]).stem
    with tempfile.TemporaryDirectory() as folder:
        write_kernelspec(Path(folder))
        os.environ.update(JUPYTER_PATH=folder, GRAFT_TEST_FOLDER=folder, GRAFT_HISTORY=str(Path(folder) / "history.sqlite"))
        pick = sys.argv[2] if len(sys.argv) > 2 else ""
        suite = unittest.TestSuite()
        for case in unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name)):
            suite.addTests(test for test in case if pick in test.id())
        suite.run(JsonResult())


if __name__ == "__main__":
    main()
