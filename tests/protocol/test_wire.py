"""Frames that no client should send, transports, and addresses."""
import hashlib
import hmac
import json
import os
import subprocess
import tempfile
import time
import unittest

import zmq
from jupyter_client.blocking import BlockingKernelClient

from harness import ROOT, Kernel, KernelTest

DELIMITER = b"<IDS|MSG>"


class Malformed(KernelTest):
    def setUp(self):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(f"tcp://{self.kernel.manager.ip}:{self.kernel.manager.shell_port}")

    def tearDown(self):
        self.socket.close()
        self.context.term()

    def signed(self, *parts, key=None):
        mac = hmac.new(key or self.kernel.client.session.key, digestmod=hashlib.sha256)
        for part in parts:
            mac.update(part)
        return [DELIMITER, mac.hexdigest().encode(), *parts]

    def request(self, msg_type="kernel_info_request", msg_id="m1", **header):
        full = {"msg_id": msg_id, "session": "s", "username": "u", "date": "2026-01-01T00:00:00Z", "msg_type": msg_type, "version": "5.3", **header}
        return [json.dumps(full).encode(), b"{}", b"{}", b"{}"]

    def answered(self, frames, seconds=0.5):
        self.socket.send_multipart(frames)
        return bool(self.socket.poll(seconds * 1000)) and self.socket.recv_multipart()

    def test_a_well_formed_request_is_answered(self):
        self.assertTrue(self.answered(self.signed(*self.request(msg_id="good")), 10))

    def test_each_is_refused_and_the_kernel_stays(self):
        good = self.request()
        table = {
            "wrong key": self.signed(*good, key=b"wrong"),
            "no signature": [DELIMITER, b"", *good],
            "short signature": [DELIMITER, b"abc", *good],
            "no delimiter": good,
            "empty": [b""],
            "too few parts": [DELIMITER, b"x", b"{}"],
            "not JSON": self.signed(b"{", b"{}", b"{}", b"{}"),
            "not UTF-8": self.signed(b"\xff\xfe", b"{}", b"{}", b"{}"),
            "an array": self.signed(b"[]", b"{}", b"{}", b"{}"),
            "null content": self.signed(good[0], b"{}", b"{}", b"null"),
            "no type": self.signed(b'{"msg_id": "x"}', b"{}", b"{}", b"{}"),
            "unknown type": self.signed(*self.request("surprise_request")),
            "a property of every object": self.signed(*self.request("constructor")),
            "a reply": self.signed(*self.request("execute_reply")),
        }
        for name, frames in table.items():
            with self.subTest(name):
                self.assertFalse(self.answered(frames, 0.2))
        self.assertEqual(self.kernel.run("1 + 1").result, "2")

    def test_a_message_sent_twice_is_answered_once(self):
        frames = self.signed(*self.request(msg_id="twice"))
        self.assertTrue(self.answered(frames, 10))
        self.assertFalse(self.answered(frames, 0.3))

    def test_a_huge_message(self):
        code = "/* " + "x" * 100_000_000 + " */ 1 + 1"
        cell = self.kernel.run("%types off")
        self.assertEqual(self.kernel.run(code, timeout=120).result, "2")
        self.kernel.run("%types on")

    def test_the_heart_beats_in_a_busy_loop(self):
        heart = self.context.socket(zmq.REQ)
        heart.linger = 0
        heart.connect(f"tcp://{self.kernel.manager.ip}:{self.kernel.manager.hb_port}")
        cell = self.kernel.client.execute("const end = Date.now() + 1500; while (Date.now() < end) {}")
        self.kernel.wait_for("execute_input")
        for turn in range(10):
            heart.send(b"ping%d" % turn)
            self.assertTrue(heart.poll(1000))
            self.assertEqual(heart.recv(), b"ping%d" % turn)
        heart.close()
        self.kernel.collect(cell)


class Places(unittest.TestCase):
    def test_transports_and_addresses(self):
        table = [{"transport": "ipc", "ip": os.path.join(os.environ["GRAFT_TEST_FOLDER"], "kernel")}, {"ip": "0.0.0.0"}, {"ip": "127.0.0.1"}]
        for options in table:
            with self.subTest(**options):
                kernel = Kernel(**options)
                try:
                    self.assertEqual(kernel.run("'here'").result, "'here'")
                finally:
                    kernel.close()

    def test_several_clients_see_one_kernel(self):
        kernel = Kernel()
        other = kernel.connect(kernel.other_client())
        try:
            kernel.run("const shared = 5")
            self.assertEqual(kernel.run("shared", client=other).result, "5")
        finally:
            other.stop_channels()
            kernel.close()

    def test_restart(self):
        kernel = Kernel()
        try:
            kernel.run("const before = 1")
            kernel.manager.restart_kernel(now=False)
            kernel.client.wait_for_ready(timeout=30)
            self.assertEqual(kernel.run("typeof globalThis['before']").result, "'undefined'")
        finally:
            kernel.close()

    def test_all_that_was_sent_arrives_before_the_end(self):
        """Also at a client behind by more than the system's buffers hold, and the reply to whoever asked for the end."""
        kernel, context = Kernel(), zmq.Context()
        slow = context.socket(zmq.SUB)
        slow.rcvhwm, slow.rcvbuf, slow.subscribe = 1, 4096, b""
        try:
            slow.connect(f"tcp://{kernel.manager.ip}:{kernel.manager.iopub_port}")
            slow.recv_multipart()
            self.assertEqual(kernel.run("for (let i = 0; i < 20; i++) display.text(`${i} `.repeat(200_000))").status, "ok")
            message = kernel.client.session.msg("shutdown_request", {"restart": False})
            kernel.client.control_channel.send(message)
            heard = []
            while slow.poll(10_000):
                heard.append(json.loads(slow.recv_multipart()[3])["msg_type"])
                if heard[-1] == "shutdown_reply":
                    break
            self.assertEqual((heard.count("display_data"), heard[-1]), (20, "shutdown_reply"))
            self.assertEqual(kernel.reply(message["header"]["msg_id"], channel="control")["content"]["status"], "ok")
            self.assertEqual(kernel.manager.provisioner.process.wait(10), 0)
        finally:
            slow.close(0)
            context.term()
            kernel.close()

    def test_a_taken_port_is_said(self):
        kernel = Kernel()
        try:
            env = {**os.environ, "JPY_PARENT_PID": str(os.getpid())}
            argv = [os.environ.get("GRAFT_NODE", "node"), str(ROOT / "kernel" / "main.js"), kernel.manager.connection_file]
            second = subprocess.run(argv, capture_output=True, text=True, timeout=20, env=env)
            self.assertEqual(second.returncode, 1)
            self.assertIn("cannot bind", second.stderr)
        finally:
            kernel.close()


class Encrypted(unittest.TestCase):
    def test_curve(self):
        """With keys in the connection file the channels are encrypted, and whoever lacks the server's key is not heard."""
        kernel = Kernel(transport_encryption="required")
        try:
            with open(kernel.manager.connection_file) as file:
                self.assertEqual(len(json.load(file)["curve_secretkey"]), 40)
            self.assertEqual(kernel.run("'secret'").result, "'secret'")
            self.assertEqual(kernel.request("kernel_info_request", channel="control")["content"]["status"], "ok")
            context = zmq.Context()
            plain = context.socket(zmq.DEALER)
            plain.linger = 0
            plain.connect(f"tcp://{kernel.manager.ip}:{kernel.manager.shell_port}")
            plain.send_multipart([DELIMITER, b"", b"{}", b"{}", b"{}", b"{}"])
            self.assertFalse(plain.poll(300))
            plain.close()
            context.term()
            self.assertTrue(kernel.client.hb_channel.is_beating())
        finally:
            kernel.close()


class Registered(unittest.TestCase):
    """The kernel chooses its ports and tells them (JEP 66)."""
    key = b"a-key-of-this-launcher"

    def setUp(self):
        self.context = zmq.Context()
        self.launcher = self.context.socket(zmq.ROUTER)
        self.launcher.linger = 0
        port = self.launcher.bind_to_random_port("tcp://127.0.0.1")
        self.folder = tempfile.mkdtemp()
        self.file = os.path.join(self.folder, "registration.json")
        with open(self.file, "w") as file:
            json.dump({"kernel_id": "the-id", "transport": "tcp", "registration_ip": "127.0.0.1", "registration_port": port,
                       "signature_scheme": "hmac-sha256", "key": self.key.decode()}, file)
        argv = [os.environ.get("GRAFT_NODE", "node"), str(ROOT / "kernel" / "main.js"), self.file]
        self.process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env={**os.environ, "JPY_PARENT_PID": str(os.getpid())})

    def tearDown(self):
        self.process.kill()
        self.process.communicate()
        self.launcher.close()
        self.context.term()

    def signature(self, content):
        return hmac.new(self.key, content, hashlib.sha256).hexdigest().encode()

    def test_handshake(self):
        self.assertTrue(self.launcher.poll(20_000))
        identity, delimiter, signature, content = self.launcher.recv_multipart()
        self.assertEqual((delimiter, signature), (DELIMITER, self.signature(content)))
        told = json.loads(content)
        self.assertEqual(sorted(told), ["control_port", "hb_port", "iopub_port", "kernel_id", "shell_port", "stdin_port"])
        self.assertEqual((told["kernel_id"], len({*told.values()})), ("the-id", 6))
        self.launcher.send_multipart([identity, DELIMITER, self.signature(b"ACK"), b"ACK"])
        client = BlockingKernelClient()
        client.load_connection_info({"ip": "127.0.0.1", "transport": "tcp", "key": self.key, "signature_scheme": "hmac-sha256",
                                     **{name: int(port) for name, port in told.items() if name.endswith("_port")}})
        client.start_channels()
        try:
            client.wait_for_ready(timeout=20)
            # Other clients find it by a file of its own.
            other = os.path.join(self.folder, "kernel-the-id.json")
            with open(other) as file:
                self.assertEqual(json.load(file)["shell_port"], int(told["shell_port"]))
            self.assertEqual(os.stat(other).st_mode & 0o777, 0o600)
            client.shutdown()
            self.assertEqual(self.process.wait(10), 0)
            self.assertFalse(os.path.exists(other))
        finally:
            client.stop_channels()

    def test_a_wrong_acknowledgement_ends_the_kernel(self):
        self.assertTrue(self.launcher.poll(20_000))
        identity, *_ = self.launcher.recv_multipart()
        self.launcher.send_multipart([identity, DELIMITER, b"wrong", b"ACK"])
        self.assertEqual(self.process.wait(10), 1)
        self.assertIn("wrong signature", self.process.stderr.read())


class Usage(KernelTest):
    def test_processor_and_memory(self):
        ask = lambda: self.kernel.request("usage_request", channel="control")["content"]
        ask()
        self.kernel.run("const until = Date.now() + 700; while (Date.now() < until) {}; const held = Buffer.alloc(200e6, 1)")
        usage = ask()
        self.assertEqual(usage["pid"], self.kernel.pid)
        # The child's work and memory count too.
        self.assertGreater(usage["kernel_cpu"], 10)
        self.assertGreater(usage["kernel_memory"], 200e6)
        self.assertTrue(0 < usage["host_cpu_percent"] <= 100)
        memory = usage["host_virtual_memory"]
        self.assertTrue(0 < memory["available"] <= memory["total"] and 0 < memory["percent"] < 100)
        self.assertEqual(usage["cpu_count"], os.cpu_count())
