"""The kernel as Visual Studio Code's Jupyter extension drives it: without jupyter_client, over sockets of its own."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

import harness


class VisualStudioCode(unittest.TestCase):
    """Spawns the kernelspec's argv, gives all its sockets one identity, says 5.2, has no heartbeat, and ends the process by a signal."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        harness.write_kernelspec(Path(cls.folder.name))
        spec = json.loads(Path(cls.folder.name, "kernels", harness.KERNEL_NAME, "kernel.json").read_text())
        file, info = write_connection_file(os.path.join(cls.folder.name, "kernel.json"), key=str(uuid.uuid4()).encode(), ip="127.0.0.1")
        argv = [file if part == "{connection_file}" else part for part in spec["argv"]]
        cls.process = subprocess.Popen(argv, cwd=cls.folder.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.session = Session(key=info["key"].encode(), signature_scheme="hmac-sha256", username="")
        context, identity = zmq.Context.instance(), str(uuid.uuid4()).encode()
        cls.sockets = {}
        for channel in ("shell", "control", "stdin", "iopub"):
            socket = context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            socket.linger = 0
            if channel == "iopub":
                socket.subscribe(b"")
            else:
                socket.identity = identity
            socket.connect(f"tcp://127.0.0.1:{info[channel + '_port']}")
            cls.sockets[channel] = socket

    @classmethod
    def tearDownClass(cls):
        if cls.process.poll() is None:
            cls.process.kill()
            cls.process.wait()
        for socket in cls.sockets.values():
            socket.close()
        cls.folder.cleanup()

    def send(self, channel, msg_type, content, metadata=None):
        message = self.session.msg(msg_type, content, metadata=metadata)
        message["header"]["version"] = "5.2"
        self.session.send(self.sockets[channel], message)
        return message["header"]["msg_id"]

    def receive(self, channel, wanted, asked=None):
        """The next message of a type, an answer to `asked` if given."""
        deadline = time.monotonic() + harness.TIMEOUT
        while time.monotonic() < deadline:
            if not self.sockets[channel].poll(200):
                continue
            _, message = self.session.recv(self.sockets[channel], mode=0)
            if message["msg_type"] == wanted and asked in (None, message["parent_header"].get("msg_id")):
                return message["content"]
        self.fail(f"no {wanted} on {channel}")

    def execute(self, code):
        return self.send("shell", "execute_request", {
            "code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": True, "stop_on_error": False,
        }, {"cellId": "vscode-notebook-cell:/a.ipynb#W0sZmlsZQ=="})

    def test_1_tells_a_language_that_the_editor_knows(self):
        info = self.receive("shell", "kernel_info_reply", self.send("shell", "kernel_info_request", {}))
        self.assertEqual((info["status"], info["language_info"]["name"], info["language_info"]["file_extension"]), ("ok", "typescript", ".ts"))

    def test_2_runs_cells_and_asks_for_input(self):
        asked = self.execute("const name: string = await input('name? ')\nname.length")
        self.assertEqual(self.receive("stdin", "input_request", asked)["prompt"], "name? ")
        self.send("stdin", "input_reply", {"status": "ok", "value": "abc"})
        self.assertEqual(self.receive("iopub", "execute_result", asked)["data"]["text/plain"], "3")
        self.assertEqual(self.receive("shell", "execute_reply", asked)["status"], "ok")

    def test_3_is_interrupted_by_message_and_keeps_its_variables(self):
        asked = self.execute("const kept = 7\nwhile (true) {}")
        self.receive("iopub", "execute_input", asked)
        time.sleep(0.5)
        self.receive("control", "interrupt_reply", self.send("control", "interrupt_request", {}))
        self.assertEqual(self.receive("shell", "execute_reply", asked)["status"], "error")
        self.assertEqual(self.receive("iopub", "execute_result", self.execute("kept"))["data"]["text/plain"], "7")

    def test_4_ends_at_a_signal_with_all_its_processes(self):
        asked = self.execute("process.pid")
        child = int(self.receive("iopub", "execute_result", asked)["data"]["text/plain"])
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(harness.TIMEOUT)
        for _ in range(100):
            if not Path(f"/proc/{child}").exists():
                return
            time.sleep(0.1)
        self.fail("the process of the cells is still there")


if __name__ == "__main__":
    unittest.main()
