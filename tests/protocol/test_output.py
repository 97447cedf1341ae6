"""Output: whole, in order, in few messages, before idle, and at its own cell."""
import json
import time

import psutil
import zmq
from jupyter_client.manager import KernelManager

from harness import KERNEL_NAME, KernelTest


class Output(KernelTest):
    def test_many_lines(self):
        for loop in "for (let i = 0; i < 100000; i++) console.log(i)", "for (let i = 0; i < 100000; i++) { console.log(i); if (i % 1000 === 0) await 1 }":
            with self.subTest(loop):
                cell = self.kernel.run(loop)
                self.assertEqual(cell.text().split("\n"), [*map(str, range(100000)), ""])
                self.assertLess(len(cell.of("stream")), 400)

    def test_the_order_of_everything(self):
        cell = self.kernel.run("console.log('a'); console.error('b'); display('c'); console.log('d'); clear(); console.log('e'); 'f'")
        shown = [m["content"].get("text") or m["content"].get("data", {}).get("text/plain") or m["msg_type"] for m in cell.messages[2:-1]]
        self.assertEqual(shown, ["a\n", "b\n", "'c'", "d\n", "clear_output", "e\n", "'f'"])

    def test_output_arrives_while_the_cell_is_busy(self):
        msg_id = self.kernel.client.execute("console.log('early'); const until = Date.now() + 2000; while (Date.now() < until) {}; console.log('late')")
        first = self.kernel.wait_for("stream")
        self.assertEqual(first["content"]["text"], "early\n")
        begin = time.monotonic()
        self.kernel.collect(msg_id)
        self.assertGreater(time.monotonic() - begin, 0.5)

    def test_native_code_and_processes(self):
        table = {
            "inherited": ("import { execSync } from 'node:child_process'; console.log(1); console.log(2); execSync('echo native', { stdio: 'inherit' }); console.log(3)",
                          "1\n2\nnative\n3\n", ""),
            "error output": ("import { execSync } from 'node:child_process'; execSync('echo oops >&2', { stdio: 'inherit' })", "", "oops\n"),
            "descriptors": ("import { writeSync } from 'node:fs'; writeSync(1, 'one'); writeSync(2, 'two')", "one", "two"),
            "asynchronous": ("import { spawn } from 'node:child_process'; const p = spawn('sh', ['-c', 'for i in 1 2 3; do echo $i; done'], { stdio: 'inherit' }); "
                             "await new Promise(r => p.on('exit', r)); undefined", "1\n2\n3\n", ""),
            "much": ("import { execSync } from 'node:child_process'; execSync('seq 1 50000', { stdio: 'inherit' })", "".join(f"{i}\n" for i in range(1, 50001)), ""),
        }
        for name, (code, out, err) in table.items():
            with self.subTest(name):
                cell = self.kernel.run(code)
                self.assertEqual((cell.status, cell.text(), cell.text("stderr")), ("ok", out, err))

    def test_late_output_goes_to_its_own_cell(self):
        client = self.kernel.client
        first = client.execute("setTimeout(() => console.log('from the first'), 300); 0")
        self.kernel.until_idle(first)
        second = client.execute("await new Promise(r => setTimeout(r, 600)); console.log('from the second')")
        texts = {}
        while True:
            message = client.get_iopub_msg(timeout=10)
            parent = message["parent_header"]["msg_id"]
            if message["msg_type"] == "stream":
                texts[parent] = texts.get(parent, "") + message["content"]["text"]
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and parent == second:
                break
        self.assertEqual(texts, {first: "from the first\n", second: "from the second\n"})

    def test_what_the_console_prints(self):
        cell = self.kernel.run("console.log({ a: [1, 'x'] }, 'text', null); console.table([{ q: 1 }]); console.info('%d%%', 5); process.stdout.write(Buffer.from('é').subarray(0, 1)); "
                               "process.stdout.write(Buffer.from('é').subarray(1)); process.stdout.isTTY ?? false")
        self.assertIn("{ a: [ 1, 'x' ] } text null\n", cell.text())
        self.assertIn("5%\né", cell.text())
        self.assertNotIn("\x1b", cell.text() + cell.result)

    def test_the_console_s_other_ways(self):
        cell = self.kernel.run("console.log(); console.log('%s is %d', 'a', 1, { b: 2 }); console.log(-0, 'x'); console.group('g'); console.log('in'); console.error('err'); "
                               "console.groupEnd(); console.log('out'); console.count(); console.dir({ c: 3 }); console.assert(false, 'no')")
        self.assertEqual(cell.text(), "\na is 1 { b: 2 }\n-0 x\ng\n  in\nout\ndefault: 1\n{ c: 3 }\n")
        self.assertEqual(cell.text("stderr"), "  err\nAssertion failed: no\n")
        self.assertEqual(self.kernel.run("function here() { console.trace('where') }\nhere()").text("stderr"), "Trace: where\n    at here (Cell 1:1:27)\n    at Cell 1:2:1\n"
                         .replace("Cell 1", f"Cell {self.kernel.run('0').content['execution_count'] - 1}"))
        self.assertEqual(len(self.kernel.run("console.log('a'); console.clear(); console.log('b')").of("clear_output")), 1)

    def test_streams_end_up_in_the_output(self):
        cell = self.kernel.run("import { Readable } from 'node:stream'; import { pipeline } from 'node:stream/promises'; "
                               "await pipeline(Readable.from(['a', 'b']), process.stdout, { end: false }); process.stdout.write('c', () => console.log('d')); undefined")
        time.sleep(0.2)
        self.assertEqual((cell.status, cell.text()), ("ok", "abcd\n"))

    def test_the_first_cell_is_whole_also_before_its_client_has_subscribed(self):
        manager = KernelManager(kernel_name=KERNEL_NAME)
        manager.start_kernel()
        context = zmq.Context()
        try:
            client = manager.client()
            client.shell_channel.start()
            msg_id = client.execute("console.log('said'); 42")
            # The reply to another question comes at once: the cell runs by now, and nobody hears it yet.
            client.kernel_info()
            client.get_shell_msg(timeout=30)
            late = context.socket(zmq.SUB)
            late.linger = 0
            late.subscribe(b"")
            late.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
            types = []
            while "execute_result" not in types:
                self.assertTrue(late.poll(10_000), types)
                frames = late.recv_multipart()
                start = frames.index(b"<IDS|MSG>")
                msg_type = json.loads(frames[start + 2])["msg_type"]
                if msg_id.encode() in frames[start + 3] and msg_type != "status":
                    types.append(msg_type)
            self.assertEqual(types, ["execute_input", "stream", "execute_result"])
        finally:
            context.destroy(0)
            client.stop_channels()
            manager.shutdown_kernel(now=True)

    def test_a_slow_front_end_slows_the_cell_instead_of_filling_the_memory(self):
        context, manager = zmq.Context(), self.kernel.manager
        slow = context.socket(zmq.SUB)
        slow.rcvhwm = 1
        slow.linger = 0
        slow.connect(f"tcp://{manager.ip}:{manager.iopub_port}")
        slow.subscribe(b"")
        # What is published just then may come first.
        while b"iopub_welcome" not in b"".join(slow.recv_multipart()):
            pass
        own = psutil.Process(self.kernel.pid)
        memory = lambda: sum(p.memory_info().rss for p in [own, *own.children(recursive=True)]) / 2**20
        before = memory()
        msg_id = self.kernel.client.execute("const kilobyte = 'z'.repeat(1023); for (let i = 0; i < 400_000; i++) console.log(kilobyte)")
        text, most = 0, 0
        try:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                most = max(most, memory())
                time.sleep(0.2)
            self.assertLess(most - before, 300)
            while True:
                message = self.kernel.client.get_iopub_msg(timeout=30)
                while slow.poll(0):
                    slow.recv_multipart()
                if message["msg_type"] == "stream":
                    text += len(message["content"]["text"])
                if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and message["parent_header"]["msg_id"] == msg_id:
                    break
        finally:
            slow.close()
            context.term()
        self.assertEqual(text, 400_000 * 1024)

    def test_large_values(self):
        cell = self.kernel.run("'x'.repeat(5_000_000)")
        self.assertEqual(len(cell.result), 5_000_002)
        cell = self.kernel.run("display.html('y'.repeat(30_000_000))")
        self.assertEqual(len(cell.of("display_data")[0]["data"]["text/html"]), 30_000_000)

    def test_values(self):
        table = [
            ("undefined", None), ("null", "null"), ("({ a: 1 })", "{ a: 1 }"), ("'quo\"te'", "'quo\"te'"), ("new Map([[1, 2]])", "Map(1) { 1 => 2 }"),
            ("(() => 1)()", "1"), ("10n ** 20n", "100000000000000000000n"), ("Symbol('s')", "Symbol(s)"),
        ]
        for code, expected in table:
            with self.subTest(code):
                self.assertEqual(self.kernel.run(code).result, expected)

    def test_values_that_show_themselves(self):
        table = [
            ("({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>' }) })", "text/html", "<i>"),
            ("({ [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<i>' }) })", "text/html", "<i>"),
            ("({ outerHTML: '<p>x</p>' })", "text/html", "<p>x</p>"),
            ("({ outerHTML: '<svg width=\"1\"></svg>' })", "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1"></svg>'),
            ("({ toDataURL: () => 'data:image/png;base64,AAAA' })", "image/png", "AAAA"),
            ("Buffer.from('iVBORw0KGgo=', 'base64')", "image/png", "iVBORw0KGgo="),
            ("({ [Symbol.for('Jupyter.display')]: () => ({ 'image/png': new Uint8Array([1, 2, 3]) }) })", "image/png", "AQID"),
        ]
        for code, mime, expected in table:
            with self.subTest(code):
                data = self.kernel.run(code).of("execute_result")[0]["data"]
                self.assertEqual(data[mime], expected)
                self.assertIn("text/plain", data)

    def test_what_notebooks_for_tslab_use(self):
        cell = self.kernel.run("import * as tslab from 'tslab'\ntslab.display.html('<b>')\ntslab.display.png(new Uint8Array([1, 2, 3]))\n"
                               "const place = tslab.newDisplay()\nplace.text('a')\nplace.text('b')")
        self.assertEqual([c["data"] for c in cell.of("display_data")], [{"text/html": "<b>"}, {"image/png": "AQID"}, {"text/plain": "a"}])
        self.assertEqual([c["data"] for c in cell.of("update_display_data")], [{"text/plain": "b"}])

    def test_what_notebooks_for_deno_use(self):
        table = [
            ("const { md, html } = Deno.jupyter\nmd`# ${'Title'}`", "execute_result", {"text/markdown": "# Title", "text/plain": "# Title"}),
            ("const note: Deno.jupyter.Displayable = html`<i>`\nnote", "execute_result", {"text/html": "<i>", "text/plain": "<i>"}),
            ("await Deno.jupyter.display({ 'text/html': '<b>' }, { raw: true })", "display_data", {"text/html": "<b>"}),
            ("await Deno.jupyter.broadcast('display_data', { data: { 'text/html': '<u>' }, metadata: {}, transient: { display_id: 'p' } })", "display_data", {"text/html": "<u>"}),
            ("await Deno.jupyter.broadcast('update_display_data', { data: { 'text/html': '<s>' }, metadata: {}, transient: { display_id: 'p' } })", "update_display_data", {"text/html": "<s>"}),
            ("class Shown { [Deno.jupyter.$display](): Deno.jupyter.MediaBundle { return { 'text/plain': 'shown' } } }\nnew Shown()", "execute_result", {"text/plain": "shown"}),
        ]
        for code, kind, data in table:
            with self.subTest(code):
                cell = self.kernel.run(code)
                self.assertEqual([c["data"] for c in cell.of(kind)], [data], cell.error)
        self.assertIn("`readFile(path, \"utf8\")` of node:fs/promises", self.kernel.run("await Deno.readTextFile('a.txt')").error["evalue"])
        # Packages ask for it to find out where they run.
        self.assertEqual(self.kernel.run("typeof (globalThis as any).Deno").result, "'undefined'")

    def test_a_value_that_fails_to_show_itself_is_the_cell_s_error(self):
        for code in ("({ [Symbol.for('Jupyter.display')]: () => { throw new Error('no picture') } })", "display({ [Symbol.for('Jupyter.display')]: async () => { throw new Error('no picture') } })"):
            with self.subTest(code):
                cell = self.kernel.run(code)
                self.assertEqual((cell.status, cell.error["evalue"]), ("error", "no picture"))
        for code in ("display.json({ a: 1n })", "display({ 'application/json': { a: 1n } }, { raw: true })",
                     "({ [Symbol.for('Jupyter.display')]: () => ({ 'application/json': { a: 1n } }) })"):
            with self.subTest(code):
                cell = self.kernel.run(code)
                self.assertEqual((cell.status, cell.error["evalue"]), ("error", "'application/json' in a mime bundle should be JSON, and this is not: it holds a BigInt"))
