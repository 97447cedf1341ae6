"""The debugger: `debug_request` in the order JupyterLab and VS Code send it, and what comes of it."""
import os
import time
import unittest
from pathlib import Path

from harness import Kernel, TIMEOUT


class Session:
    """A client of the debugger, with a kernel of its own."""

    def __init__(self, cwd=None):
        self.kernel = Kernel(cwd=cwd)
        self.client = self.kernel.client
        self.seq = 0
        self.events = []

    def raw(self, command, **arguments):
        self.seq += 1
        content = {"type": "request", "seq": self.seq, "command": command, "arguments": arguments}
        reply = self.kernel.request("debug_request", content, "control")
        assert reply["msg_type"] == "debug_reply", reply["msg_type"]
        answer = reply["content"]
        assert (answer["type"], answer["request_seq"], answer["command"]) == ("response", self.seq, command), answer
        return answer

    def ask(self, command, **arguments):
        answer = self.raw(command, **arguments)
        assert answer["success"], f"{command}: {answer.get('message')}"
        return answer["body"]

    def start(self):
        self.ask("initialize", clientID="test", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
        self.ask("attach")

    def breakpoints(self, code, *lines):
        path = self.ask("dumpCell", code=code)["sourcePath"]
        wanted = [line if isinstance(line, dict) else {"line": line} for line in lines]
        return path, self.ask("setBreakpoints", source={"path": path}, breakpoints=wanted)["breakpoints"]

    def event(self, name, timeout=TIMEOUT):
        """The next event of this name."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.client.get_iopub_msg(timeout=timeout)
            self.events.append(message)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == name:
                return message["content"]["body"]
        raise AssertionError(f"no event {name}")

    def stop_at(self):
        """Waits until the notebook stops; gives the reason and the stack as (name, line)."""
        body = self.event("stopped")
        frames = self.ask("stackTrace", threadId=1)["stackFrames"]
        return body["reason"], [(f["name"], f["line"]) for f in frames]

    def names(self, scope, frame=0):
        frames = self.ask("stackTrace", threadId=1)["stackFrames"]
        scopes = {s["name"]: s["variablesReference"] for s in self.ask("scopes", frameId=frames[frame]["id"])["scopes"]}
        return {v["name"]: v for v in self.ask("variables", variablesReference=scopes[scope])["variables"]}

    def close(self):
        self.kernel.close()


class Debugger(unittest.TestCase):
    """One kernel, one session; each test leaves it running freely."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(os.environ["GRAFT_TEST_FOLDER"])
        cls.folder.joinpath("shapes.ts").write_text(
            "export interface Box { w: number, h: number }\n\nexport function area(box: Box): number {\n  const { w, h } = box\n  return w * h\n}\n"
            "export const each = <T>(list: T[], visit: (t: T) => void) => list.forEach(item => visit(item))\n")
        cls.session = Session()
        cls.kernel, cls.client = cls.session.kernel, cls.session.client

    @classmethod
    def tearDownClass(cls):
        cls.session.close()

    def setUp(self):
        self.session.start()

    def tearDown(self):
        self.session.ask("disconnect", restart=False)
        self.assertEqual(self.kernel.run("1 + 1").result, "2")

    def finish(self, cell, status="ok"):
        self.session.ask("continue", threadId=1)
        content = self.kernel.reply(cell)["content"]
        self.assertEqual(content["status"], status, content)

    def steps(self, command, *expected):
        for stack in expected:
            self.session.ask(command, threadId=1)
            self.assertEqual(self.session.stop_at(), ("step", stack))

    def count(self, above=1):
        return self.kernel.run("0").content["execution_count"] + above

    def test_breakpoints_stack_variables_and_steps(self):
        s, n = self.session, self.count()
        name = f"Cell {n}"
        code = ("interface Point { x: number }\nfunction twice(n: number): number {\n  const result = n * 2\n  return result\n}\nconst p: Point = { x: 1 }\n"
                "let y = twice(p.x)\nawait new Promise(done => setTimeout(done, 20))\ny += 1\ny")
        path, breakpoints = s.breakpoints(code, 1, 3)
        info = s.ask("debugInfo")
        self.assertTrue(path.startswith(info["tmpFilePrefix"]) and path.endswith(info["tmpFileSuffix"]))
        self.assertEqual([(b["verified"], b["line"]) for b in breakpoints], [(True, 2), (True, 3)])
        s.breakpoints(code, 3)
        s.ask("configurationDone")
        cell = self.client.execute(code)
        self.assertEqual(s.stop_at(), ("breakpoint", [("twice", 3), (name, 7)]))
        info = s.ask("debugInfo")
        self.assertEqual((info["isStarted"], info["stoppedThreads"], info["breakpoints"]), (True, [1], [{"source": path, "breakpoints": [{"line": 3}]}]))
        self.assertEqual(s.ask("source", source={"path": path})["content"], code)
        self.assertEqual({n: v["value"] for n, v in s.names("Locals").items()}, {"n": "1"})
        self.assertEqual({n: v["value"] for n, v in s.names("Locals", 1).items()}, {"twice": "[Function: twice]", "p": "{ x: 1 }", "y": "undefined"})
        point = s.names("Globals")["p"]
        self.assertEqual(point["type"], "Object")
        self.assertEqual([(v["name"], v["value"], v["type"]) for v in s.ask("variables", variablesReference=point["variablesReference"])["variables"]], [("x", "1", "number")])
        # Through the call's end, over the `await`, and out of the cell.
        self.steps("next", [("twice", 4), (name, 7)], [(name, 8)], [(name, 9)], [(name, 10)])
        s.ask("next", threadId=1)
        s.event("continued")
        self.assertEqual(self.kernel.reply(cell)["content"]["status"], "ok")
        self.assertEqual(self.kernel.run("y").result, "3")
        # The function is the earlier cell's: its breakpoint holds when another one calls it.
        cell = self.client.execute("twice(20)")
        self.assertEqual(s.stop_at()[1][0], ("twice", 3))
        self.finish(cell)

    def test_local_modules_step_in_and_out(self):
        s, n = self.session, self.count()
        path = str(self.folder / "shapes.ts")
        self.assertEqual([b["line"] for b in s.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": 4}])["breakpoints"]], [4])
        code = "import { area, each } from './shapes'\nconst size = area({ w: 2, h: 3 })\neach([size], value => {\n  console.log(value)\n})\nsize"
        s.breakpoints(code)
        cell = self.client.execute(code)
        self.assertEqual(s.stop_at(), ("breakpoint", [("area", 4), (f"Cell {n}", 2)]))
        self.assertEqual({n: v["value"] for n, v in s.names("Locals").items() if n in ("box", "w")}, {"box": "{ w: 2, h: 3 }"})
        self.steps("stepOut", [(f"Cell {n}", 3)])
        self.steps("stepIn", [("each", 7), (f"Cell {n}", 3)])
        self.assertIn({"name": "shapes.ts", "path": path}, [{"name": m["name"], "path": m["path"]} for m in s.ask("modules")["modules"]])
        self.assertIn("interface Box", s.ask("source", source={"path": path})["content"])
        self.finish(cell)

    def test_vs_code(self):
        """What its notebook debugger sends, with the arguments that it sends."""
        s, n = self.session, self.count()
        s.ask("disconnect", restart=False)
        self.assertFalse(s.ask("debugInfo")["isStarted"])
        capabilities = s.ask("initialize", clientID="vscode", clientName="Visual Studio Code", adapterID="Jupyter", pathFormat="path", linesStartAt1=True, columnsStartAt1=True,
                             supportsVariableType=True, supportsVariablePaging=True, supportsRunInTerminalRequest=True, locale="en", supportsProgressReporting=True)
        self.assertTrue(capabilities["supportsConfigurationDoneRequest"] and capabilities["supportsConditionalBreakpoints"])
        s.ask("attach", type="Jupyter Debugger", name="cell", request="attach", justMyCode=True, internalConsoleOptions="neverOpen")
        s.event("initialized")
        code = "const a = [1, 2]\nconst b = { list: a }\nb.list.length"
        path = s.ask("dumpCell", code=code)["sourcePath"]
        answer = s.ask("setBreakpoints", source={"name": os.path.basename(path), "path": path}, lines=[2], breakpoints=[{"line": 2}], sourceModified=False)
        self.assertEqual([(b["verified"], b["line"]) for b in answer["breakpoints"]], [(True, 2)])
        s.ask("setExceptionBreakpoints", filters=[], filterOptions=[])
        s.ask("configurationDone")
        cell = self.client.execute(code)
        stopped = s.event("stopped")
        self.assertEqual((stopped["reason"], stopped["threadId"], stopped["allThreadsStopped"], stopped["hitBreakpointIds"]), ("breakpoint", 1, True, [answer["breakpoints"][0]["id"]]))
        self.assertEqual(s.ask("threads"), {"threads": [{"id": 1, "name": "Notebook"}]})
        trace = s.ask("stackTrace", threadId=1, startFrame=0, levels=20)
        frame = trace["stackFrames"][0]
        self.assertEqual((trace["totalFrames"], frame["name"], frame["source"]["path"], frame["line"]), (1, f"Cell {n}", path, 2))
        scopes = s.ask("scopes", frameId=frame["id"])["scopes"]
        self.assertEqual([scope["name"] for scope in scopes], ["Locals", "Globals"])
        a = next(v for v in s.ask("variables", variablesReference=scopes[0]["variablesReference"])["variables"] if v["name"] == "a")
        self.assertEqual((a["value"], a["indexedVariables"]), ("[ 1, 2 ]", 2))
        self.assertEqual(len(s.ask("variables", variablesReference=a["variablesReference"], filter="indexed", start=1, count=1)["variables"]), 1)
        self.assertEqual(s.ask("evaluate", expression="a.length", frameId=frame["id"], context="hover")["result"], "2")
        self.steps("next", [(f"Cell {n}", 3)])
        self.finish(cell)

    def test_evaluate_set_and_copy(self):
        s = self.session
        code = "const performance = { now: 1 }\nfunction inner(list: number[]) {\n  const total = list.length\n  return total\n}\ninner([1, 2, 3])"
        s.breakpoints(code, 4)
        cell = self.client.execute(code)
        s.stop_at()
        frame = s.ask("stackTrace", threadId=1)["stackFrames"][0]["id"]
        table = [
            ("total + 1", "4", "number"), ("(list as number[]).map((x: number) => x * 2)", "[ 2, 4, 6 ]", "Array"), ("performance.now", "1", "number"),
            ("{ a: total }", "{ a: 3 }", "Object"), ("total > 2 ? 'big' : 'small'", "'big'", "string"),
        ]
        for expression, value, kind in table:
            with self.subTest(expression):
                answer = s.ask("evaluate", expression=expression, frameId=frame, context="repl")
                self.assertEqual((answer["result"], answer["type"]), (value, kind))
        for expression, message in ("nowhere", "nowhere is not defined"), ("1 +", "Unexpected"), ("await 1", "while the notebook is paused"), ("list.push(4)", "side-effect"):
            with self.subTest(expression):
                answer = s.raw("evaluate", expression=expression, frameId=frame, context="hover")
                self.assertFalse(answer["success"])
                self.assertIn(message, answer["message"])
        locals_ = s.ask("scopes", frameId=frame)["scopes"][0]["variablesReference"]
        self.assertEqual(s.raw("setVariable", variablesReference=locals_, name="list", value="[7]")["body"]["value"], "[ 7 ]")
        self.assertEqual(s.names("Locals")["list"]["value"], "[ 7 ]")
        rich = s.ask("richInspectVariables", variableName="list", frameId=frame)
        self.assertEqual(rich["data"]["text/plain"], "[ 7 ]")
        self.assertEqual(s.ask("copyToGlobals", srcVariableName="list", dstVariableName="copied", srcFrameId=frame)["value"], "[ 7 ]")
        self.assertFalse(s.raw("copyToGlobals", srcVariableName="list", dstVariableName="a b", srcFrameId=frame)["success"])
        self.finish(cell)
        self.assertEqual(self.kernel.run("copied.length + 1").result, "2")
        self.assertEqual({v["name"]: v["value"] for v in s.ask("inspectVariables")["variables"]}["copied"], "[ 7 ]")
        self.kernel.run("const drawn = { [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<b>x</b>' }) }")
        self.assertEqual(s.ask("richInspectVariables", variableName="drawn")["data"]["text/html"], "<b>x</b>")

    def test_conditions_counts_and_messages(self):
        s = self.session
        code = "let sum = 0\nfor (let i = 0; i < 10; i++) {\n  sum += i\n  sum += 0\n}\nsum"
        table = [({"line": 3, "condition": "(i as number) === 7"}, "7"), ({"line": 3, "hitCondition": "3"}, "2"), ({"line": 3, "hitCondition": ">= 9"}, "8")]
        for breakpoint_, value in table:
            with self.subTest(**breakpoint_):
                s.breakpoints(code, breakpoint_)
                cell = self.client.execute(code)
                s.stop_at()
                self.assertEqual(s.names("Locals")["i"]["value"], value)
                s.breakpoints(code)
                self.finish(cell)
        s.breakpoints(code, {"line": 3, "logMessage": "i is {i}, sum {sum}"})
        self.assertEqual(self.kernel.run(code).text().split("\n")[:2], ["i is 0, sum 0", "i is 1, sum 0"])
        self.assertIn("Unexpected", s.breakpoints(code, {"line": 3, "condition": "i ==="})[1][0].get("message", ""))
        s.breakpoints(code)

    def test_exceptions(self):
        s = self.session
        table = [
            ("uncaught", "const a = 1\nthrow new Error('plain')", 2, "error"),
            ("uncaught", "await 1\nasync function f() {\n  await 1\n  throw new TypeError('late')\n}\nawait f()", 4, "error"),
            ("uncaught", "JSON.parse('{')", 1, "error"),
            ("raised", "try {\n  throw new Error('caught')\n} catch {}", 2, "ok"),
        ]
        for filter_, code, line, status in table:
            with self.subTest(filter_, code=code):
                s.ask("setExceptionBreakpoints", filters=[filter_])
                cell = self.client.execute(code)
                reason, stack = s.stop_at()
                self.assertEqual((reason, stack[0][1]), ("exception", line))
                self.assertTrue(s.ask("exceptionInfo", threadId=1)["description"].split(": ")[1])
                self.finish(cell, status)
        s.ask("setExceptionBreakpoints", filters=["uncaught"])
        for code in ("try { throw new Error('x') } catch {}", "async function g() { await 1; throw new Error('x') }\ntry { await g() } catch {}",
                     "import { existsSync } from 'node:fs'\nexistsSync('/nowhere')", "import('nowhere-at-all').catch(() => {})"):
            with self.subTest(code=code):
                self.assertEqual(self.kernel.run(code).status, "ok")

    def test_pause_and_interrupt(self):
        s = self.session
        code = "let turns = 0\nconst until = Date.now() + 60000\nwhile (Date.now() < until) {\n  turns++\n}"
        cell = self.client.execute(code)
        self.kernel.wait_for("execute_input")
        time.sleep(0.3)
        s.ask("pause", threadId=1)
        reason, stack = s.stop_at()
        self.assertEqual(reason, "pause")
        self.assertIn(stack[0][1], (3, 4))
        self.assertGreater(int(s.names("Globals")["turns"]["value"]), 0)
        # A cell that is paused is interrupted like any other; so is one that runs while a debugger watches.
        for paused in True, False:
            with self.subTest(paused=paused):
                if not paused:
                    cell = self.client.execute(code)
                    self.kernel.wait_for("execute_input")
                    time.sleep(0.3)
                self.kernel.manager.interrupt_kernel()
                content = self.kernel.reply(cell)["content"]
                self.assertEqual(content["ename"], "Interrupted")
                self.assertGreater(int(self.kernel.run("turns").result), 0)
        self.assertFalse(s.raw("stackTrace", threadId=1)["success"])

    def test_output_and_other_requests_while_paused(self):
        s = self.session
        code = "console.log('before')\ndebugger\nconsole.log('after')"
        cell = self.client.execute(code)
        s.stop_at()
        printed = [m["content"]["text"] for m in s.events if m["msg_type"] == "stream"]
        self.assertEqual(printed, ["before\n"])
        self.assertIn("floor", self.kernel.request("complete_request", {"code": "Math.flo", "cursor_pos": 8})["content"]["matches"])
        self.finish(cell)

    def test_a_cell_of_a_subshell(self):
        s = self.session
        subshell = self.kernel.request("create_subshell_request", {}, "control")["content"]["subshell_id"]
        code = "let doubled = 21\ndoubled *= 2\ndoubled"
        s.breakpoints(code, 3)
        message = self.client.session.msg("execute_request", {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": True})
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        reason, [(name, line)] = s.stop_at()
        self.assertEqual((reason, line), ("breakpoint", 3))
        self.assertRegex(name, r"^Cell \d+\.1$")
        self.assertEqual(s.names("Locals")["doubled"]["value"], "42")
        self.finish(message["header"]["msg_id"])
        self.kernel.request("delete_subshell_request", {"subshell_id": subshell}, "control")

    def test_a_new_process_keeps_breakpoints(self):
        s = self.session
        code = "const fresh = 1\nfresh + 1"
        s.breakpoints(code, 2)
        self.assertEqual(self.kernel.run("process.exit(1)").error["ename"], "ProcessEnded")
        cell = self.client.execute(code)
        self.assertEqual(s.stop_at()[0], "breakpoint")
        self.finish(cell)

    def test_large_values_come_in_pieces(self):
        s = self.session
        self.kernel.run("const many = new Float32Array(1e6); class Lazy { get deep() { return { a: 1 } } }; const lazy = new Lazy()")
        variables = {v["name"]: v for v in s.ask("inspectVariables")["variables"]}
        pieces = s.ask("variables", variablesReference=variables["many"]["variablesReference"], start=0, count=2)["variables"]
        self.assertEqual([p["name"] for p in pieces], ["[0…9999]", "[10000…19999]"])
        self.assertEqual(len(s.ask("variables", variablesReference=pieces[1]["variablesReference"])["variables"]), 100)
        deep = s.ask("variables", variablesReference=variables["lazy"]["variablesReference"])["variables"]
        self.assertEqual(([d["name"] for d in deep], deep[0]["presentationHint"]), (["deep"], {"lazy": True}))
        self.assertEqual(s.ask("variables", variablesReference=deep[0]["variablesReference"])["variables"][0]["value"], "{ a: 1 }")

    def test_wrong_requests_are_answered(self):
        for command, arguments in (("surprise", {}), ("dumpCell", {}), ("setBreakpoints", {"source": {}}), ("setBreakpoints", {"source": {"path": "/x"}, "breakpoints": [{}]}),
                                   ("source", {"source": {"path": "/nowhere"}}), ("scopes", {"frameId": 5}), ("variables", {"variablesReference": 999}), ("next", {})):
            with self.subTest(command):
                answer = self.session.raw(command, **arguments)
                self.assertTrue(answer["success"] is False and answer["message"] or answer["body"]["variables"] == [])


class Off(unittest.TestCase):
    def test_before_it_starts(self):
        """What JupyterLab asks of every kernel, and what needs no debugger; it loads nothing into the notebook's process."""
        session = Session()
        try:
            info = session.ask("debugInfo")
            self.assertEqual((info["isStarted"], info["hashMethod"], info["breakpoints"], info["stoppedThreads"]), (False, "Murmur2", [], []))
            self.assertEqual(session.kernel.run("Object.getOwnPropertySymbols(globalThis).includes(Symbol.for('graft.debug'))").result, "false")
            self.assertFalse(session.raw("next", threadId=1)["success"])
            session.kernel.run("const seen = 5; debugger")
            self.assertEqual([v["name"] for v in session.ask("inspectVariables")["variables"]], ["seen"])
        finally:
            session.close()
