"""Whatever ends the user's process: the cell gets an error that explains, the kernel stays, and the next cell runs in a new process."""
import os
import signal
import subprocess
import sys
import time
import unittest

import psutil

from harness import Kernel, KernelTest

DEATHS = {
    "process.exit": ("process.exit(3)", "process.exit(3)"),
    "exit after await": ("await 1; process.exit(0)", "process.exit(0)"),
    "exit in a callback": ("setTimeout(() => process.exit(4), 5); await new Promise(() => {})", "process.exit(4)"),
    "segmentation fault": ("process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})", "SIGSEGV"),
    "killed": ("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {})", "SIGKILL"),
    "exitCode and a signal": ("process.exitCode = 5; process.kill(process.pid, 'SIGTERM'); await new Promise(() => {})", "SIGTERM"),
    "abort": ("process.abort()", "SIGABRT"),
}


class Deaths(KernelTest):
    def test_each_kind(self):
        for name, (code, word) in DEATHS.items():
            with self.subTest(name):
                client = self.kernel.client
                self.kernel.run("let gone = 1")
                # The pause lets the second cell be in the queue when the first ends its process.
                first, second = client.execute(f"console.log('before')\nawait new Promise(r => setTimeout(r, 200))\n{code}"), client.execute("'queued'", stop_on_error=False)
                cell = self.kernel.collect(first)
                self.assertEqual((cell.status, cell.error["ename"]), ("error", "ProcessEnded"))
                self.assertIn(word, cell.error["evalue"])
                self.assertIn("variables are gone", cell.error["evalue"])
                self.assertEqual(cell.text(), "before\n")
                self.assertEqual(self.kernel.reply(second)["content"]["status"], "aborted")
                self.assertEqual(self.kernel.run("typeof globalThis['gone']").result, "'undefined'")

    def test_replaced_built_ins(self):
        # What the kernel needs goes on, or the process ends with a word; no cell waits for ever.
        survived = {
            "JSON": "JSON.stringify = () => { throw new Error('mine') }",
            "a clock that stands": "globalThis.setTimeout = (() => 0) as any; performance.now = () => 0",
            "Promise": "delete (globalThis as any).Promise",
            "properties of every object": "(Object.prototype as any).type = 'evil'",
            "descriptors": "import { closeSync } from 'node:fs'; for (let fd = 0; fd < 6; fd++) closeSync(fd)",
            "streams": "process.stdout.end('end'); process.stderr.destroy(); process.stdin.destroy()",
        }
        for name, code in survived.items():
            with self.subTest(name):
                self.kernel.run(code)
                cell = self.kernel.run("console.log('said'); display.html('shown'); await 6 * 7")
                self.assertEqual((cell.status, cell.text(), cell.result, len(cell.of("display_data"))), ("ok", "said\n", "42", 1), cell.error)
                self.kernel.run("process.exit()")
        for name, code in {"Array": "Array.prototype.push = null as any", "Buffer": "Buffer.from = null as any"}.items():
            with self.subTest(name):
                first, second = self.kernel.run(f"{code}; 0"), self.kernel.run("1")
                ended = first if first.status == "error" else second
                self.assertEqual(ended.error["ename"], "ProcessEnded")
                self.assertIn("is not a function", ended.error["evalue"])
                self.assertEqual(self.kernel.run("1 + 1").result, "2")

    def test_output_just_before_the_end_arrives(self):
        cell = self.kernel.run("for (let i = 0; i < 20000; i++) console.log(i); process.exit(0)")
        self.assertEqual(cell.text().split(), [str(i) for i in range(20000)])

    def test_uncaught_errors_belong_to_their_cell(self):
        cases = {
            "rejection": "void Promise.reject(new Error('lost')); await new Promise(r => setTimeout(r, 50))",
            "exception in a callback": "setTimeout(() => { throw new Error('lost') }, 5); await new Promise(r => setTimeout(r, 50))",
            "rejection at the very end": "void Promise.reject(new Error('lost'))",
        }
        for name, code in cases.items():
            with self.subTest(name):
                self.kernel.run("const alive = 1")
                cell = self.kernel.run(code)
                self.assertEqual((cell.status, cell.error["evalue"]), ("error", "lost"))
                self.assertEqual(self.kernel.run("alive").result, "1")

    def test_a_late_error_belongs_to_its_own_cell(self):
        first = self.kernel.client.execute("setTimeout(() => { throw new Error('late') }, 400); 0")
        self.kernel.until_idle(first)
        second = self.kernel.client.execute("await new Promise(r => setTimeout(r, 700)); 'fine'")
        errors = []
        while True:
            message = self.kernel.client.get_iopub_msg(timeout=10)
            if message["msg_type"] == "error":
                errors.append(message["parent_header"]["msg_id"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and message["parent_header"]["msg_id"] == second:
                break
        self.assertEqual(errors, [first])
        self.assertEqual(self.kernel.reply(second)["content"]["status"], "ok")

    def test_the_second_interrupt_reaches_what_the_first_cannot(self):
        # A wait inside native code: no JavaScript runs that could be stopped.
        client = self.kernel.client
        msg_id = client.execute("import { openSync, readSync } from 'node:fs'; import { execSync } from 'node:child_process'; "
                                "execSync('mkfifo never || true'); readSync(openSync('never', 'r+'), Buffer.alloc(1))")
        self.kernel.wait_for("execute_input")
        time.sleep(1)
        send = lambda: client.control_channel.send(client.session.msg("interrupt_request", {}))
        send()
        stream = self.kernel.wait_for("stream")
        self.assertIn("Interrupt again", stream["content"]["text"])
        send()
        cell = self.kernel.collect(msg_id)
        self.assertEqual(cell.error["ename"], "ProcessEnded")
        self.assertEqual(self.kernel.run("1 + 2").result, "3")


class Memory(unittest.TestCase):
    def test_out_of_memory(self):
        kernel = Kernel(env={"NODE_OPTIONS": "--max-old-space-size=150"})
        try:
            kernel.run("%types off")
            cell = kernel.run("const hoard = []; for (;;) hoard.push(new Array(1000).fill({}))", timeout=60)
            self.assertEqual(cell.error["ename"], "ProcessEnded")
            self.assertIn("ran out of memory", cell.error["evalue"])
            self.assertEqual(kernel.run("1 + 1").result, "2")
        finally:
            kernel.close()


class Endings(unittest.TestCase):
    """The kernel's own end leaves no process behind."""

    def family(self, kernel):
        own = psutil.Process(kernel.pid)
        return [own, *own.children(recursive=True)]

    def assert_gone(self, processes, seconds=10):
        _, alive = psutil.wait_procs(processes, timeout=seconds)
        self.assertEqual([p for p in alive if p.status() != psutil.STATUS_ZOMBIE], [])

    def test_signals(self):
        for number in signal.SIGTERM, signal.SIGKILL:
            for code in "0", "while (true) {}":
                with self.subTest(signal=number.name, code=code):
                    kernel = Kernel()
                    kernel.client.execute(code)
                    kernel.wait_for("execute_input")
                    time.sleep(0.3)
                    processes = self.family(kernel)
                    self.assertGreaterEqual(len(processes), 2)
                    os.kill(kernel.pid, number)
                    self.assert_gone(processes)
                    kernel.client.stop_channels()
                    kernel.manager.cleanup_resources()

    def test_the_kernel_ends_with_the_process_that_started_it(self):
        starter = subprocess.Popen([sys.executable, "-c", "import harness, time, os; k = harness.Kernel(); "
                                    "k.client.execute('while (true) {}'); print(k.pid, flush=True); time.sleep(1000)"],
                                   stdout=subprocess.PIPE, text=True, cwd=os.path.dirname(__file__))
        own = psutil.Process(int(starter.stdout.readline()))
        time.sleep(0.5)
        processes = [own, *own.children(recursive=True)]
        starter.kill()
        starter.wait()
        starter.stdout.close()
        self.assert_gone(processes)
