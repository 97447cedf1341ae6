"""An interrupt ends a cell in any kind of loop or wait, and leaves the variables.

Each kind is interrupted at GRAFT_INTERRUPTS moments drawn at random (2 without it; the long series takes 50), and how long that took is told: until the
kernel said that it is idle, and until this client had read all that was printed before.
"""
import os
import random
import statistics
import time
from datetime import datetime, timezone

from harness import KernelTest

REPEATS = int(os.environ.get("GRAFT_INTERRUPTS", "2"))

LOOPS = {
    "sync": "while (true) {}",
    "counting": "let turns = 0; for (;;) turns++",
    "after await": "await 1; while (true) {}",
    "of awaits": "for (;;) await 1",
    "pending": "await new Promise(() => {})",
    "printing": "for (;;) console.log('x')",
    "writing": "for (;;) process.stdout.write('y'.repeat(100000))",
    "in a timer": "setTimeout(() => { display('in it'); while (true) {} }, 5); await new Promise(() => {})",
    "in a timer, while another runs": "setTimeout(() => { display('in it'); while (true) {} }, 5); await new Promise(r => setTimeout(r, 20000))",
    "nested callbacks": "[1].forEach(() => { [1].map(() => { while (true) {} }) })",
    "in a promise's callback": "Promise.resolve().then(() => { while (true) {} }); await new Promise(() => {})",
    "regular expression": "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "Atomics.wait": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "short sleeps": "const nap = async () => { for (;;) await new Promise(r => setTimeout(r, 5)) }; await nap()",
    "ticks": "function tick() { process.nextTick(tick) } tick(); await new Promise(() => {})",
    "microtasks": "function micro() { queueMicrotask(micro) } micro(); await new Promise(() => {})",
    "immediates": "function soon() { setImmediate(soon) } soon(); await new Promise(() => {})",
    "an immediate among others": "setImmediate(() => {}); setImmediate(() => { display('in it'); while (true) {} }); setImmediate(() => {}); await new Promise(() => {})",
    "swallowing errors": "while (true) { try { JSON.parse('{') } catch {} }",
    "file reads": "import { readFileSync } from 'node:fs'; for (;;) readFileSync('/etc/hosts')",
    "library call": "new Array(1e6).fill(0).sort(() => { for (let i = 0; i < 1e4; i++); return 0.5 })",
    "child process": "import { execSync } from 'node:child_process'; execSync('sleep 60')",
    "webassembly": "(new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,108,0,0,10,9,1,7,0,3,64,12,0,11,11])))"
                   ".exports as any).l()",
    "a running process": "import { execFile } from 'node:child_process'; import { promisify } from 'node:util'; await promisify(execFile)('sleep', ['60'])",
    "a worker": "import { Worker } from 'node:worker_threads'; const w = new Worker('for (;;);', { eval: true }); w.unref(); await new Promise(r => w.on('exit', r))",
    "work off the thread": "import { pbkdf2 } from 'node:crypto'; await new Promise(r => pbkdf2('a', 'b', 1e6, 64, 'sha512', r))",
    "compression off the thread": "import { brotliCompress } from 'node:zlib'; await new Promise(r => brotliCompress(Buffer.alloc(3e7, 'abcdefg'), r))",
    "deep recursion": "const deep = (n: number): number => n > 5000 ? (() => { for (;;); })() : deep(n + 1); deep(0)",
    "a generator": "function* all() { for (let i = 0; ; i++) yield i } for (const i of all());",
    "a getter": "const o = { get x() { for (;;); } }; o.x",
    "a proxy": "const p = new Proxy({} as any, { get() { for (;;); } }); p.x",
    "a finally": "try { throw 1 } catch {} finally { for (;;); }",
    "a constructor": "class Endless { constructor() { for (;;); } } new Endless()",
    "showing the result": "({ [Symbol.for('Jupyter.display')]() { for (;;); } })",
    "an array that grows": "const grown: number[] = []; for (;;) { grown.push(1); if (grown.length > 1e6) grown.length = 0 }",
    "an array that grows without end": "const hoard: unknown[] = []; while (true) hoard.push(new Array(100))",
    "input": "await input('never answered')",
    "prompt": "prompt('never answered')",
}

# What goes on by itself after the cell was interrupted, as a thread of Python's would, and how to end it.
LEFT = {"a worker": "await w.terminate()"}


class Interrupts(KernelTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The check of types would take most of the time before the interrupt.
        cls.kernel.run("%types off")

    def interrupted(self, code, after=0.1):
        """Interrupts the cell so many seconds after its code began to run."""
        client = self.kernel.client
        msg_id = client.execute(f"console.log('begun')\n{code}", allow_stdin=True)
        # What a callback does that has not begun is no part of the cell that is interrupted.
        self.kernel.wait_for("display_data" if "display('in it')" in code else "stream")
        time.sleep(after)
        self.interrupt()
        self.sent = datetime.now(timezone.utc)
        return self.kernel.collect(msg_id)

    def interrupt(self):
        client = self.kernel.client
        client.control_channel.send(client.session.msg("interrupt_request", {}))

    def test_at_any_moment(self):
        # While its types are checked, on its way to the process, in its first turn, or in the loop.
        for after in range(0, 60, 3):
            with self.subTest(milliseconds=after):
                msg_id = self.kernel.client.execute("await 1; while (true) {}")
                self.kernel.wait_for("execute_input")
                time.sleep(after / 1000)
                self.interrupt()
                self.assertEqual(self.kernel.collect(msg_id).error["ename"], "Interrupted")
                self.assertEqual(self.kernel.run("6 * 7").result, "42")

    def test_each_kind(self):
        moments, lines = random.Random(3), []
        for name, code in LOOPS.items():
            took, read = [], []
            for turn in range(REPEATS):
                with self.subTest(name, turn=turn):
                    self.kernel.run(f"let kept = {turn}")
                    cell = self.interrupted(f"kept++; {code}" if not code.startswith("import") else f"{code}; kept++", moments.uniform(0, 0.15))
                    took.append((cell.messages[-1]["header"]["date"] - self.sent).total_seconds() * 1000)
                    read.append((datetime.now(timezone.utc) - self.sent).total_seconds() * 1000)
                    self.assertEqual((cell.status, cell.error["ename"]), ("error", "Interrupted"))
                    self.assertEqual(self.kernel.run("kept").result, str(turn + (not code.startswith("import"))))
                    if name in LEFT:
                        self.kernel.run(LEFT[name])
            if took:
                lines.append(f"{name}: {len(took)} of {REPEATS}, median {statistics.median(took):.0f} ms, slowest {max(took):.0f} ms; all read after {statistics.median(read):.0f} ms")
        self.note = "\n".join(lines)

    def test_loops_keep_what_they_counted(self):
        # Their names are kept in registers, for speed.
        for turn in range(REPEATS):
            for name, code, check in (
                ("a hot loop", "while (true) n++", "n > 0"),
                ("several names", "for (m = 0; ; m++) { n += 2 }", "n > 0 && Math.abs(n - 2 * m) <= 2"),
                ("a name of Node's", "for (;;) performance++", "performance > 0"),
                ("a loop that calls", "const f = (x: number) => x + 1; while (true) n = f(n)", "n > 0"),
                ("a callback in it", "while (true) { [1].forEach(() => {}); n++ }", "n > 0"),
                ("a loop that prints", "while (true) { console.log('x'); n++ }", "n > 0"),
                ("the second loop", "for (let i = 0; i < 5; i++) n++\nwhile (true) m++", "n === 5 && m > 0"),
                ("an inner name", "while (true) { let n = -1; n--; m++ }", "n === 0 && m > 0"),
            ):
                with self.subTest(name, turn=turn):
                    self.kernel.run("let n = 0, m = 0, performance = 0")
                    cell = self.interrupted(code)
                    self.assertEqual(cell.error["ename"], "Interrupted")
                    self.assertEqual(self.kernel.run(f"{check} || [n, m, performance]").result, "true")

    def test_it_says_where(self):
        cell = self.interrupted("const a = 1\nfunction spin() {\n  while (true) {}\n}\nspin()")
        self.assertIn("line 4", "\n".join(cell.error["traceback"]))

    def test_queued_cells_are_aborted(self):
        client = self.kernel.client
        first, second = client.execute("while (true) {}"), client.execute("'never'", stop_on_error=False)
        self.kernel.wait_for("execute_input")
        time.sleep(0.2)
        self.interrupt()
        self.assertEqual(self.kernel.reply(first)["content"]["status"], "error")
        self.assertEqual(self.kernel.reply(second)["content"]["status"], "aborted")
        self.kernel.until_idle(second)

    def test_an_idle_kernel_stays(self):
        self.kernel.request("interrupt_request", channel="control")
        self.assertEqual(self.kernel.run("3 + 4").result, "7")

    def test_code_that_watches_its_signal_stops_by_itself(self):
        cell = self.interrupted(
            "import { host } from 'graft-host'".replace("graft-host", HOST) + "\nconst { signal } = host()\n"
            "let steps = 0\nwhile (!signal.aborted) { steps++; await new Promise(r => setTimeout(r, 5)) }\n`stopped after ${steps > 3}`")
        self.assertEqual((cell.status, cell.result), ("ok", "'stopped after true'"))

    def test_a_section_ends_first(self):
        cell = self.interrupted(
            f"import {{ host }} from '{HOST}'\nlet whole = false\n"
            "host().section!(() => { const until = Date.now() + 600; while (Date.now() < until); whole = true })\nwhole = false")
        self.assertEqual((cell.status, cell.error["ename"]), ("error", "Interrupted"))
        self.assertEqual(self.kernel.run("whole").result, "true")

    def test_what_yields_to_timers_does_not_go_on(self):
        nap = "const nap = (ms: number) => new Promise<void>(r => setTimeout(r, ms)); "
        for name, code in {
            "its own loop": "while (true) { await nap(5); n++ }",
            "a loop in its function": "const spin = async () => { while (true) { await nap(5); n++ } }; await spin()",
            "a function nobody awaits": "void (async () => { for (;;) { await nap(5); n++ } })(); await nap(60_000)",
            "errors swallowed": "while (true) { try { await nap(5) } catch {} finally { tidied = true } n++ }",
            "an async generator": "for await (const i of (async function* () { for (;;) { await nap(5); yield 1 } })()) n += i",
        }.items():
            for after in 0.01, 0.1:
                with self.subTest(name, after=after):
                    self.kernel.run("let n = 0, tidied = false")
                    cell = self.interrupted(nap + code, after)
                    self.assertEqual((cell.status, cell.error["ename"], cell.text("stderr")), ("error", "Interrupted", ""))
                    later = self.kernel.run(f"const before = n; {nap}await nap(200); n - before")
                    self.assertIn(later.result, ("0", "1"))
                    again = self.kernel.run(f"const twice = n; {nap}await nap(100); n - twice")
                    self.assertEqual((again.result, [m["msg_type"] for m in again.messages].count("error")), ("0", 0))

    def test_the_user_s_own_finally_and_later_cells(self):
        self.interrupted("const later = new Promise<number>(r => setTimeout(() => r(5), 800)); while (true) {}")
        self.assertEqual(self.kernel.run("await later").result, "5")

    def test_a_callback_of_an_earlier_cell_that_never_ends(self):
        for when in "before the next cell", "in the next cell":
            with self.subTest(when):
                self.kernel.run("setTimeout(() => { while (true) {} }, 50); 0")
                time.sleep(0.3)
                if when == "before the next cell":
                    self.kernel.request("interrupt_request", channel="control")
                    self.assertEqual(self.kernel.run("8").result, "8")
                else:
                    msg_id = self.kernel.client.execute("await new Promise(() => {})")
                    self.kernel.wait_for("execute_input")
                    self.interrupt()
                    self.assertEqual(self.kernel.collect(msg_id).error["ename"], "Interrupted")
                    self.assertEqual(self.kernel.run("8").result, "8")


HOST = str(__import__("harness").ROOT / "lib" / "host.ts")
