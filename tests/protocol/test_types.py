"""Types from cell to cell, as a front end sees them."""
from harness import KernelTest

HOST = "globalThis[Symbol.for('graft.host')]"


class Types(KernelTest):
    def refused(self, code, words):
        cell = self.kernel.run(code)
        self.assertEqual(cell.status, "error", code)
        self.assertEqual(cell.error["ename"], "TypeScriptError")
        self.assertIn(words, cell.error["evalue"])

    def test_a_value_tells_its_type(self):
        """Host.typeOf: what a library says of a value counts in later cells, under every name the cell gave to the value."""
        told = f"const thing: any = {{ size: 3 }}\nlet same = thing\n{HOST}.typeOf(thing, '{{ size: number }}')"
        self.assertEqual(self.kernel.run(told).status, "ok")
        self.assertEqual(self.kernel.run("thing.size + same.size").result, "6")
        self.refused("thing.sise", "'sise' does not exist on type '{ size: number; }'")
        self.refused("same = 'x'", "not assignable to type '{ size: number; }'")
        self.refused("thing = same", "constant")
        code = "thing."
        matches = self.kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})["content"]["matches"]
        self.assertEqual(matches, ["size"])
        inspected = self.kernel.request("inspect_request", {"code": "thing", "cursor_pos": 2, "detail_level": 0})["content"]["data"]["text/plain"]
        self.assertRegex(inspected, r"const thing: \{\s*size: number;\s*\}")
        self.assertEqual(self.kernel.run("const thing = 'mine'\nthing.length").result, "4")
        self.refused("thing.size", "'size' does not exist on type '\"mine\"'")

    def test_a_type_that_is_none_changes_nothing(self):
        for wrong in "no type at all", "Unheard.Of":
            with self.subTest(type=wrong):
                self.assertEqual(self.kernel.run(f"const odd = {{ a: 1 }}\n{HOST}.typeOf(odd, {wrong!r})").status, "ok")
                self.assertEqual(self.kernel.run("odd.a").result, "1")

    def test_cells_that_are_queued_at_once(self):
        """Each is checked before it runs, with the types of those before it; a wrong one aborts the rest."""
        self.kernel.run("let sum = 0\nconst step0 = 0")
        cells = [f"const step{n} = step{n - 1} + 1\nsum += step{n}" for n in range(1, 40)]
        asked = [self.kernel.client.execute(code) for code in [*cells, "const text: string = step39", "sum = 0"]]
        ended = [self.kernel.collect(msg_id) for msg_id in asked]
        self.assertEqual([cell.status for cell in ended], ["ok"] * 39 + ["error", "aborted"])
        self.assertEqual(ended[-2].error["evalue"], "Type 'number' is not assignable to type 'string'.")
        self.assertEqual(self.kernel.run("sum").result, str(sum(range(40))))
