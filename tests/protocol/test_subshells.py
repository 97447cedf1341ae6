"""Subshells (JEP 91): cells that run beside others, each with its own order, parent and output."""
import time
import unittest

from harness import KernelTest
from message_spec import check


class Subshells(KernelTest):
    def setUp(self):
        self.client = self.kernel.client
        self.subshell = self.ask("create_subshell_request")["subshell_id"]

    def tearDown(self):
        if self.subshell in self.ask("list_subshell_request")["subshell_id"]:
            self.ask("delete_subshell_request", subshell_id=self.subshell)

    def ask(self, msg_type, **content):
        return self.kernel.request(msg_type, content, "control")["content"]

    def execute(self, code, subshell=None, **options):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True, **options}
        message = self.client.session.msg("execute_request", content)
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def gather(self, *ids):
        """All messages on iopub until each of these cells is idle, and the replies, in the order in which they came."""
        messages, replies, idle = [], [], set()
        while len(idle) < len(ids):
            message = self.client.get_iopub_msg(timeout=30)
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and message["parent_header"]["msg_id"] in ids:
                idle.add(message["parent_header"]["msg_id"])
        while len(replies) < len(ids):
            reply = self.client.get_shell_msg(timeout=30)
            if reply["parent_header"]["msg_id"] in ids:
                replies.append(reply)
        return messages, replies

    def test_create_list_delete(self):
        info = self.kernel.request("kernel_info_request")["content"]
        self.assertIn("kernel subshells", info["supported_features"])
        other = self.ask("create_subshell_request")
        check(other, {"status": str, "subshell_id": str}, "create_subshell_reply")
        self.assertEqual(sorted(self.ask("list_subshell_request")["subshell_id"]), sorted([self.subshell, other["subshell_id"]]))
        self.assertEqual(self.ask("delete_subshell_request", subshell_id=other["subshell_id"]), {"status": "ok"})
        self.assertEqual(self.ask("list_subshell_request")["subshell_id"], [self.subshell])
        for unknown in other["subshell_id"], None:
            answer = self.ask("delete_subshell_request", subshell_id=unknown)
            self.assertEqual(answer["status"], "error")
            self.assertIn("no subshell", answer["evalue"])

    def test_a_cell_runs_while_another_awaits(self):
        """Output, parents and the busy status are each cell's own; names are shared."""
        self.kernel.run("let done = false")
        main = self.execute("console.log('main begins'); while (!done) await new Promise(r => setTimeout(r, 10)); console.log('main ends'); 'main'")
        self.kernel.wait_for("stream")
        sub = self.execute("console.log('sub'); done = true; 'sub'", self.subshell)
        messages, replies = self.gather(main, sub)
        self.assertEqual([r["parent_header"]["msg_id"] for r in replies], [sub, main])
        self.assertEqual([r["parent_header"].get("subshell_id") for r in replies], [self.subshell, None])
        said = lambda parent: [m["content"].get("text") or m["content"]["data"]["text/plain"] for m in messages
                               if m["parent_header"]["msg_id"] == parent and m["msg_type"] in ("stream", "execute_result")]
        self.assertEqual((said(sub), said(main)), (["sub\n", "'sub'"], ["main ends\n", "'main'"]))
        # A front end shows the latest status: the kernel is busy until the last cell has ended.
        states = [m["content"]["execution_state"] for m in messages if m["msg_type"] == "status"]
        self.assertEqual((states[-1], states.count("idle")), ("idle", 2))
        self.assertEqual(states[states.index("idle") + 1], "busy")

    def test_a_cell_runs_while_another_trains(self):
        """It sees how far the training is, changes its rate, and ends it."""
        main = self.execute("""console.log('begins')
            const noise = await data.tensors(tf.randomUniform([60, 8, 8, 3]), Array.from({ length: 60 }, (_, i) => i % 3))
            const model = tf.sequential({ layers: [tf.layers.flatten({ inputShape: [8, 8, 3] }), tf.layers.dense({ units: 3, activation: 'softmax' })] })
            const training = train(model, noise, { epochs: 1_000_000, show: false, log: false })
            const trained = await training
            trained.history.loss.length""")
        self.kernel.wait_for("stream")
        results = []
        for code in ("while (typeof training === 'undefined' || training.run.history.loss.length < 3) await new Promise(r => setTimeout(r, 10))\ntraining.run.history.loss.length > 2",
                     "training.learningRate = 1e-5\ntraining.learningRate", "training.stop()\n'stopped'"):
            cell = self.execute(code, self.subshell)
            messages, [reply] = self.gather(cell)
            self.assertEqual(reply["content"]["status"], "ok", reply["content"])
            results += [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result" and m["parent_header"]["msg_id"] == cell]
        self.assertEqual(results, ["true", "0.00001", "'stopped'"])
        self.assertEqual(self.kernel.reply(main)["content"]["status"], "ok")

    def test_names_of_a_cell_that_runs_still(self):
        main = self.execute("let go: boolean = false\nwhile (!go) await new Promise(r => setTimeout(r, 10))\nconsole.log('goes on')")
        self.kernel.wait_for("execute_input")
        time.sleep(0.3)
        _, [refused] = self.gather(self.execute("go = 'yes'", self.subshell))
        self.assertEqual(refused["content"]["ename"], "TypeScriptError")
        _, replies = self.gather(main, self.execute("go = true", self.subshell))
        self.assertEqual([r["content"]["status"] for r in replies], ["ok", "ok"])

    def test_each_keeps_its_order(self):
        self.kernel.run("const order: string[] = []; const note = async (name: string, ms: number) => { order.push(`${name}>`); await new Promise(r => setTimeout(r, ms)); order.push(`<${name}`) }")
        ids = [self.execute(f"await note('m{i}', 60)") for i in range(3)] + [self.execute(f"await note('s{i}', 25)", self.subshell) for i in range(3)]
        self.gather(*ids)
        order = self.kernel.run("order.join(' ')").result.strip("'").split()
        self.assertEqual([o for o in order if "m" in o], ["m0>", "<m0", "m1>", "<m1", "m2>", "<m2"])
        self.assertEqual([o for o in order if "s" in o], ["s0>", "<s0", "s1>", "<s1", "s2>", "<s2"])
        self.assertLess(order.index("s1>"), order.index("<m1"))

    def test_an_error_stops_its_own_shell(self):
        ids = [self.execute("await new Promise(r => setTimeout(r, 200)); 1"), self.execute("2"),
               self.execute("await 1; throw new Error('sub')", self.subshell), self.execute("3", self.subshell)]
        _, replies = self.gather(*ids)
        self.assertEqual({r["parent_header"]["msg_id"]: r["content"]["status"] for r in replies}, dict(zip(ids, ["ok", "ok", "error", "aborted"])))

    def test_each_has_its_count_and_history(self):
        """As JEP 91 says it; errors name a subshell's cell so that no other is called the same, also where a later cell calls into it."""
        before = self.kernel.run("const before: number = 1").content["execution_count"]
        ids = [self.execute(code, self.subshell) for code in ("function fails(): never {\n  throw new Error('here')\n}", "fails()")]
        _, replies = self.gather(*ids)
        self.assertEqual([r["content"]["execution_count"] for r in replies], [1, 2])
        _, [main] = self.gather(self.execute("fails()"))
        self.assertEqual(main["content"]["execution_count"], before + 1)
        for reply, caller in (replies[1], r"Cell \d+\.2"), (main, f"Cell {before + 1}"):
            told = "\n".join(reply["content"]["traceback"])
            self.assertRegex(told, r"\nCell \d+\.1, line 2\n")
            self.assertRegex(told, rf"at {caller}, line 1")
        _, [refused] = self.gather(self.execute("const text: string = before", self.subshell))
        self.assertRegex("\n".join(refused["content"]["traceback"]), r"Cell \d+\.3, line 1")
        histories = []
        for subshell in None, self.subshell:
            message = self.client.session.msg("history_request", {"hist_access_type": "range", "session": 0, "start": 0, "raw": True, "output": False})
            message["header"]["subshell_id"] = subshell
            self.client.shell_channel.send(message)
            histories.append(self.kernel.reply(message["header"]["msg_id"])["content"]["history"])
        main, sub = [[source for _, _, source in history] for history in histories]
        self.assertEqual([line for _, line, _ in histories[1]], [1, 2, 3])
        self.assertEqual((main[-2:], sub[1]), (["const before: number = 1", "fails()"], "fails()"))

    def test_types_are_checked_in_each(self):
        ids = [self.execute("const a1: number = 1; await new Promise(r => setTimeout(r, 50)); a1"), self.execute("const b1: number = 'x'", self.subshell), self.execute("a1 + 1")]
        _, replies = self.gather(*ids)
        by = {r["parent_header"]["msg_id"]: r["content"] for r in replies}
        self.assertEqual([by[i]["status"] for i in ids], ["ok", "error", "ok"])
        self.assertEqual(by[ids[1]]["ename"], "TypeScriptError")

    def test_interrupt_ends_all(self):
        """Whichever of them keeps the process busy."""
        for main, sub in (("await new Promise(() => {})", "while (true) {}"), ("await new Promise(r => setTimeout(r, 300)); while (true) {}", "await new Promise(() => {})")):
            with self.subTest(main=main):
                ids = [self.execute(main), self.execute("'behind'"), self.execute(sub, self.subshell)]
                for _ in range(2):
                    self.kernel.wait_for("execute_input")
                time.sleep(0.5)
                self.kernel.manager.interrupt_kernel()
                _, replies = self.gather(*ids)
                by = {r["parent_header"]["msg_id"]: r["content"] for r in replies}
                self.assertEqual([by[i].get("ename", by[i]["status"]) for i in ids], ["Interrupted", "aborted", "Interrupted"])
                self.assertEqual(self.kernel.run("1 + 1").result, "2")

    def test_questions_go_to_whoever_asked(self):
        ids = [self.execute("await input('main? ')", allow_stdin=True), self.execute("await input('sub? ')", self.subshell, allow_stdin=True)]
        asked = sorted([self.client.get_stdin_msg(timeout=10) for _ in ids], key=lambda m: m["content"]["prompt"], reverse=True)
        self.assertEqual([m["parent_header"]["msg_id"] for m in asked], [ids[1], ids[0]])
        for message, value in zip(asked, ("from sub", "from main")):
            reply = self.client.session.msg("input_reply", {"value": value}, parent=message)
            reply["parent_header"] = message["header"]
            self.client.stdin_channel.send(reply)
        messages, _ = self.gather(*ids)
        results = {m["parent_header"]["msg_id"]: m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"}
        self.assertEqual(results, {ids[0]: "'from main'", ids[1]: "'from sub'"})

    def test_deleted_while_it_runs(self):
        running, waiting = self.execute("await new Promise(r => setTimeout(r, 300)); 'whole'", self.subshell), self.execute("1", self.subshell)
        self.kernel.wait_for("execute_input")
        self.ask("delete_subshell_request", subshell_id=self.subshell)
        _, replies = self.gather(running, waiting)
        self.assertEqual([(r["parent_header"]["msg_id"], r["content"]["status"]) for r in replies], [(waiting, "aborted"), (running, "ok")])
        self.assertEqual(self.kernel.run("2").result, "2")

    def test_unknown_subshell(self):
        for msg_type in "execute", "complete":
            message = self.client.session.msg(f"{msg_type}_request", {"code": "Math.flo", "cursor_pos": 8})
            message["header"]["subshell_id"] = "nowhere"
            self.client.shell_channel.send(message)
            content = self.kernel.reply(message["header"]["msg_id"])["content"]
            self.assertEqual(content["status"], "error")
            self.assertIn("no subshell 'nowhere'", content["evalue"])

    def test_a_new_process_for_all(self):
        ids = [self.execute("await new Promise(() => {})"), self.execute("process.exit(3)", self.subshell)]
        _, replies = self.gather(*ids)
        self.assertEqual([r["content"]["ename"] for r in replies], ["ProcessEnded"] * 2)
        cell = self.execute("'again'", self.subshell)
        messages, _ = self.gather(cell)
        self.assertIn("'again'", [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"])
