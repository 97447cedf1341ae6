"""Every kind of message, checked field by field against message_spec."""
import os

from harness import Kernel, KernelTest
from message_spec import CONTENT, validate

seen = set()


def checked(message, *args, **kwargs):
    validate(message, *args, **kwargs)
    seen.add(message["header"]["msg_type"])
    return message


class Messages(KernelTest):
    def cell(self, code, **options):
        msg_id = self.kernel.client.execute(code, **options)
        messages = [checked(m, parent=msg_id) for m in self.kernel.until_idle(msg_id)]
        reply = checked(self.kernel.reply(msg_id), "execute_reply", msg_id)
        return reply["content"], messages

    def types(self, code, **options):
        return [m["msg_type"] for m in self.cell(code, **options)[1]]

    def ask(self, msg_type, content=None, channel="shell"):
        return checked(self.kernel.request(f"{msg_type}_request", content, channel), f"{msg_type}_reply")["content"]

    def test_execute(self):
        table = [
            ("1", ["status", "execute_input", "execute_result", "status"]),
            ("undefined", ["status", "execute_input", "status"]),
            ("console.log(1); console.error(2)", ["status", "execute_input", "stream", "stream", "status"]),
            ("console.log(1); display(2); 3", ["status", "execute_input", "stream", "display_data", "execute_result", "status"]),
            ("display(1, { id: 'a' }); display.update('a', 2)", ["status", "execute_input", "display_data", "update_display_data", "status"]),
            ("clear(); clear(true)", ["status", "execute_input", "clear_output", "clear_output", "status"]),
            ("throw new Error('x')", ["status", "execute_input", "error", "status"]),
            ("const wrong: number = 'x'", ["status", "execute_input", "error", "status"]),
            ("const ( =", ["status", "execute_input", "error", "status"]),
        ]
        for code, types in table:
            with self.subTest(code=code):
                self.assertEqual(self.types(code), types)

    def test_silent_shows_nothing_and_counts_nothing(self):
        before = self.cell("0")[0]["execution_count"]
        self.assertEqual(self.types("5", silent=True), ["status", "status"])
        self.assertEqual(self.cell("5", silent=True)[0]["execution_count"], before)
        self.assertEqual(self.cell("5", store_history=False)[0]["execution_count"], before)
        self.assertEqual(self.cell("5")[0]["execution_count"], before + 1)

    def test_user_expressions(self):
        content, _ = self.cell("const forty = 40", user_expressions={"sum": "forty + 2", "wrong": "nowhere", "text": "'a'", "later": "await Promise.resolve(forty)",
                                                                     "rich": "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>' }) })", "nothing": ""})
        self.assertEqual(content["user_expressions"]["later"]["data"], {"text/plain": "40"})
        self.assertEqual(content["user_expressions"]["rich"]["data"]["text/html"], "<i>")
        self.assertEqual(content["user_expressions"]["nothing"]["ename"], "SyntaxError")
        self.assertEqual(content["user_expressions"]["sum"], {"status": "ok", "data": {"text/plain": "42"}, "metadata": {}})
        self.assertEqual(content["user_expressions"]["text"]["data"]["text/plain"], "'a'")
        self.assertEqual(content["user_expressions"]["wrong"]["status"], "error")
        self.assertEqual(content["user_expressions"]["wrong"]["ename"], "ReferenceError")

    def test_stop_on_error(self):
        client = self.kernel.client
        for stop, expected in (True, ["error", "aborted", "aborted"]), (False, ["error", "ok", "ok"]):
            with self.subTest(stop_on_error=stop):
                ids = [client.execute(code, stop_on_error=stop) for code in
                       ("await new Promise(r => setTimeout(r, 300)); throw new Error('stop')", "1", "2")]
                replies = [checked(self.kernel.reply(msg_id)) for msg_id in ids]
                self.assertEqual([r["content"]["status"] for r in replies], expected)
                self.kernel.until_idle(ids[-1])

    def test_requests(self):
        info = self.ask("kernel_info")
        self.assertEqual(info["language_info"]["name"], "typescript")
        self.assertEqual(self.ask("kernel_info", channel="control"), info)
        self.assertEqual(self.ask("connect")["shell_port"], self.kernel.manager.shell_port)
        self.assertEqual(self.ask("is_complete", {"code": "if (true) {"})["status"], "incomplete")
        completed = self.ask("complete", {"code": "const 𝒳 = 1; Math.flo", "cursor_pos": 21})
        self.assertEqual((completed["matches"], completed["cursor_start"], completed["cursor_end"]), (["floor"], 18, 21))
        self.assertTrue(self.ask("inspect", {"code": "Math.floor", "cursor_pos": 7, "detail_level": 0})["found"])
        self.assertFalse(self.ask("inspect", {"code": "", "cursor_pos": 0, "detail_level": 0})["found"])
        self.ask("interrupt", channel="control")
        self.ask("history", {"hist_access_type": "tail", "n": 2, "output": True, "raw": True})

    def test_control_requests(self):
        ask = lambda msg_type, content=None: self.ask(msg_type, content, "control")
        subshell = ask("create_subshell")["subshell_id"]
        self.assertEqual(ask("list_subshell")["subshell_id"], [subshell])
        ask("delete_subshell", {"subshell_id": subshell})
        self.assertEqual(ask("delete_subshell", {"subshell_id": subshell})["status"], "error")
        ask("usage")
        debug = lambda command: ask("debug", {"type": "request", "seq": 1, "command": command, "arguments": {}})
        self.assertEqual([debug(command)["success"] for command in ("debugInfo", "initialize", "attach", "nothing")], [True, True, True, False])
        checked(self.kernel.wait_for("debug_event"))
        debug("disconnect")

    def test_wrong_requests_are_answered(self):
        for msg_type, content in ("execute", {}), ("execute", {"code": 5}), ("complete", {}), ("inspect", {"code": None}):
            with self.subTest(msg_type=msg_type, content=content):
                self.assertEqual(self.ask(msg_type, content)["status"], "error")
        self.assertEqual(self.ask("is_complete")["status"], "unknown")
        self.assertEqual(self.kernel.run("1 + 1").result, "2")

    def test_requests_are_answered_while_a_cell_runs(self):
        client = self.kernel.client
        cell = client.execute("const until = Date.now() + 1500; while (Date.now() < until); 'done'")
        self.kernel.wait_for("execute_input")
        self.assertEqual(self.ask("kernel_info")["status"], "ok")
        self.assertIn("floor", self.ask("complete", {"code": "Math.flo", "cursor_pos": 8})["matches"])
        self.ask("comm_info")
        states = [m["content"]["execution_state"] for m in self.kernel.until_idle(cell) if m["msg_type"] == "status"]
        # Front ends show the latest state, whatever it answers: the running cell says that the kernel is busy still.
        self.assertEqual(set(states[:-1]), {"busy"})
        self.assertEqual(self.kernel.reply(cell)["content"]["status"], "ok")

    def test_input(self):
        client = self.kernel.client
        for code, password, answer, expected in (
            ("await input('name? ')", False, "Ada", "'Ada'"), ("await input('word? ', { password: true })", True, "x", "'x'"),
            ("prompt('name?')", False, "Bo", "'Bo'"), ("confirm('sure?')", False, "yes", "true"),
        ):
            with self.subTest(code=code):
                msg_id = client.execute(code, allow_stdin=True)
                request = checked(client.get_stdin_msg(timeout=10), "input_request", msg_id)
                self.assertEqual(request["content"]["password"], password)
                client.input(answer)
                messages = self.kernel.until_idle(msg_id)
                self.assertEqual([m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"], [expected])
        for code in "process.stdin.read()", "import { createInterface } from 'node:readline/promises'; await createInterface(process.stdin).question('name?')":
            with self.subTest(code=code):
                self.assertIn("await input('Name? ')", self.kernel.run(code).error["evalue"])
        self.assertIn("allow_stdin", self.kernel.run("await input('x')", allow_stdin=False).error["evalue"])

    def test_comms_from_the_kernel(self):
        _, messages = self.cell("const link = display.comm('target', { a: 1 }); link.onMessage((data, buffers) => link.send({ echo: data, bytes: buffers.length }, buffers)); link.id")
        opened = next(m for m in messages if m["msg_type"] == "comm_open")
        comm_id = opened["content"]["comm_id"]
        self.assertEqual(opened["content"]["data"], {"a": 1})
        self.assertEqual(self.ask("comm_info")["comms"][comm_id], {"target_name": "target"})
        self.assertEqual(self.ask("comm_info", {"target_name": "other"})["comms"], {})
        client = self.kernel.client
        message = client.session.msg("comm_msg", {"comm_id": comm_id, "data": {"x": [1]}})
        client.session.send(client.shell_channel.socket, message, buffers=[b"\x00\xff"])
        messages = [checked(m) for m in self.kernel.until_idle(message["header"]["msg_id"])]
        echo = next(m for m in messages if m["msg_type"] == "comm_msg")
        self.assertEqual(echo["content"]["data"], {"echo": {"x": [1]}, "bytes": 1})
        self.assertEqual(bytes(echo["buffers"][0]), b"\x00\xff")
        self.assertIn("comm_close", self.types("link.close()"))
        self.assertNotIn(comm_id, self.ask("comm_info")["comms"])

    def test_comms_from_a_front_end(self):
        self.cell("display.onComm('mine', (comm, data) => comm.send({ got: data }))")
        client = self.kernel.client

        def open_comm(target):
            message = client.session.msg("comm_open", {"comm_id": target, "target_name": target, "data": {"v": 1}})
            client.shell_channel.send(message)
            return [checked(m) for m in self.kernel.until_idle(message["header"]["msg_id"])]

        self.assertEqual([m["content"]["data"] for m in open_comm("mine") if m["msg_type"] == "comm_msg"], [{"got": {"v": 1}}])
        self.assertEqual(self.ask("comm_info", {"target_name": "mine"})["comms"], {"mine": {"target_name": "mine"}})
        self.assertIn("comm_close", [m["msg_type"] for m in open_comm("unknown")])

    def test_history(self):
        kernel = Kernel(env={"GRAFT_HISTORY": os.path.join(os.environ["GRAFT_TEST_FOLDER"], "own.sqlite")})
        try:
            codes = ["1 + 1", "const five = 5", "1 + 1", "throw five", "const wrong: number = 'x'", "five * 2 // [x]"]
            for code in codes:
                kernel.run(code, stop_on_error=False)
            kernel.run("'not stored'", store_history=False)
            kernel.run("'silent'", silent=True)
            lines = list(enumerate(codes, 1))
            table = [
                ({"hist_access_type": "tail", "n": 2}, lines[-2:]), ({"hist_access_type": "tail", "n": 0}, []),
                ({"hist_access_type": "range", "session": 0, "start": 2, "stop": 4}, lines[1:3]), ({"hist_access_type": "range", "session": 0, "start": 5}, lines[4:]),
                ({"hist_access_type": "range", "session": 999}, []), ({"hist_access_type": "search", "pattern": "const*wrong*"}, [lines[4]]),
                ({"hist_access_type": "search", "pattern": "*[[]x]"}, [lines[5]]), ({"hist_access_type": "search", "pattern": "no such ?"}, []),
            ]
            for request, expected in table:
                with self.subTest(**request):
                    found = kernel.request("history_request", {"output": False, "raw": True, **request})["content"]["history"]
                    self.assertEqual([tuple(entry[1:]) for entry in found], expected)
            ask = lambda **request: kernel.request("history_request", {"hist_access_type": "search", "pattern": "1 + 1", "output": True, "raw": True, **request})["content"]["history"]
            self.assertEqual([entry[2] for entry in ask(n=1)], [["1 + 1", "2"]])
            self.assertEqual(([entry[1] for entry in ask(unique=True)], [entry[1] for entry in ask()]), ([3], [1, 3]))
        finally:
            kernel.close()

    def test_history_across_restarts(self):
        kernel = Kernel()
        try:
            kernel.run("'kept' + 1")
            kernel.manager.restart_kernel(now=False)
            kernel.client.wait_for_ready(timeout=30)
            kernel.run("'later'")
            tail = kernel.request("history_request", {"hist_access_type": "tail", "n": 2, "output": True, "raw": True})["content"]["history"]
            self.assertEqual([entry[2] for entry in tail], [["'kept' + 1", "'kept1'"], ["'later'", "'later'"]])
            before = kernel.request("history_request", {"hist_access_type": "range", "session": -1, "start": 0, "output": False})["content"]["history"]
            self.assertEqual([entry[2] for entry in before], ["'kept' + 1"])
        finally:
            kernel.close()

    def test_welcome_and_shutdown(self):
        kernel = Kernel()
        other = kernel.other_client()
        other.start_channels()
        try:
            # What is published just then may come first.
            while checked(other.get_iopub_msg(timeout=10))["msg_type"] != "iopub_welcome":
                pass
            message = kernel.client.session.msg("shutdown_request", {"restart": False})
            kernel.client.control_channel.send(message)
            checked(kernel.reply(message["header"]["msg_id"], channel="control"), "shutdown_reply")
            checked(kernel.wait_for("shutdown_reply"))
            kernel.manager.provisioner.process.wait(timeout=10)
            self.assertEqual(kernel.manager.provisioner.process.returncode, 0)
        finally:
            other.stop_channels()
            kernel.close()

    def test_zz_every_type_was_seen(self):
        self.assertEqual(sorted(set(CONTENT) - seen), [])
