"""A client that does little itself, so that what is measured is the kernel: it reads the messages, without checking signatures or parsing dates."""
import hashlib
import hmac
import json
import time
import uuid

import psutil
import zmq
from jupyter_client.manager import KernelManager

KERNELS = {
    # name: (kernelspec, what is run first, language)
    "graft": ("bench-graft", None, "ts"),
    "graft, %types off": ("bench-graft", "%types off", "ts"),
    "deno": ("bench-deno", None, "ts"),
    "tslab": ("bench-tslab", None, "ts"),
    "ijavascript": ("bench-ijavascript", None, "js"),
    "ipykernel": ("bench-ipykernel", None, "py"),
    # A kernel that computes nothing: what the client and the sockets cost alone.
    "echo": ("bench-echo", None, "ts"),
}


class Lost(Exception):
    """The end of a cell was never told."""


class Kernel:
    """A kernel from its start, and one client."""

    def __init__(self, name):
        spec, first, self.language = KERNELS[name]
        start = time.perf_counter()
        self.manager = KernelManager(kernel_name=spec)
        self.manager.start_kernel()
        connection = self.manager.get_connection_info()
        self.key, self.session, self.count = connection["key"], uuid.uuid4().hex, 0
        self.context = zmq.Context()
        self.shell, self.iopub = self.context.socket(zmq.DEALER), self.context.socket(zmq.SUB)
        self.iopub.subscribe(b"")
        for socket, channel in ((self.shell, "shell"), (self.iopub, "iopub")):
            # ZeroMQ tries again after 100 to 200 ms where nobody listens yet: longer than a kernel takes.
            socket.setsockopt(zmq.RECONNECT_IVL, 2)
            socket.connect(f"tcp://{connection['ip']}:{connection[f'{channel}_port']}")
        self.ask("kernel_info_request", {})
        self.to_info = time.perf_counter() - start
        try:
            if first:
                self.run(first)
            self.run("1 + 1")
            self.to_result = time.perf_counter() - start
        except Lost:
            self.to_result = None

    def send(self, msg_type, content):
        self.count += 1
        header = {"msg_id": f"{self.session}_{self.count}", "session": self.session, "username": "bench", "date": "2026-01-01T00:00:00.000Z", "msg_type": msg_type, "version": "5.3"}
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        signature = hmac.new(self.key, b"".join(parts), hashlib.sha256).hexdigest().encode()
        self.shell.send_multipart([b"<IDS|MSG>", signature, *parts])
        return header["msg_id"].encode()

    def reply(self, asked, seconds=60):
        while self.shell.poll(seconds * 1000):
            frames = self.shell.recv_multipart()
            if asked in frames[frames.index(b"<IDS|MSG>") + 3]:
                return frames
        raise Lost("no reply")

    def ask(self, msg_type, content):
        begin = time.perf_counter()
        self.reply(self.send(msg_type, content))
        return time.perf_counter() - begin

    def complete(self, code):
        return self.ask("complete_request", {"code": code, "cursor_pos": len(code)})

    def inspect(self, code, position):
        return self.ask("inspect_request", {"code": code, "cursor_pos": position, "detail_level": 0})

    def execute(self, code):
        return self.send("execute_request", {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True})

    def published(self, seconds):
        """The next message: its type, the id of its parent in some bytes, and its content as JSON."""
        if not self.iopub.poll(seconds * 1000):
            raise Lost("nothing was published any more")
        frames = self.iopub.recv_multipart()
        start = frames.index(b"<IDS|MSG>")
        return json.loads(frames[start + 2])["msg_type"], frames[start + 3], frames[start + 5]

    def run(self, code, silence=10):
        """Seconds from sending to idle and reply; lines printed, and in how many messages."""
        begin, lines, messages = time.perf_counter(), 0, 0
        asked = self.execute(code)
        while True:
            msg_type, parent, content = self.published(silence)
            if asked not in parent:
                continue
            if msg_type == "stream":
                lines += json.loads(content)["text"].count("\n")
                messages += 1
            elif msg_type == "status" and b'"idle"' in content:
                break
        self.reply(asked)
        return time.perf_counter() - begin, lines, messages

    def memory(self):
        """Proportional set size of the process and its children, in MB."""
        own = psutil.Process(self.manager.provisioner.pid)
        return sum(process.memory_full_info().pss for process in [own, *own.children(recursive=True)]) / 2**20

    def close(self):
        self.context.destroy(0)
        self.manager.shutdown_kernel(now=True)
