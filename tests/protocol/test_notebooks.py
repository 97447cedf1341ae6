"""Programs that run whole notebooks learn of every way in which a cell fails: they stop there, and their exit code is not 0."""
import os
import subprocess
import sys
import unittest
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from harness import KERNEL_NAME

FAILURES = {
    "an exception": ("throw new RangeError('no')", "RangeError: no"),
    "a type error": ("const a: number = 'x'", "TypeScriptError: Type 'string'"),
    "a syntax error": ("const = 5", "SyntaxError"),
    "the end of the process": ("process.exit(0)", "ProcessEnded: process.exit(0)"),
    "a crash": ("process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {})", "ProcessEnded"),
    "a rejection that nobody handles": ("void Promise.reject(new Error('lost'))", "Error: lost"),
    "an exception in a callback": ("setTimeout(() => { throw new Error('lost') }, 5); await new Promise(r => setTimeout(r, 50))", "Error: lost"),
    "a question to nobody": ("await input('name?')", "allow_stdin"),
    "standard input": ("process.stdin.read(); await new Promise(() => {})", "process.stdin"),
    "an import of nothing": ("import { a } from './nowhere'", "Cannot find the file './nowhere'"),
}


def notebook(*cells):
    metadata = {"kernelspec": {"name": KERNEL_NAME, "display_name": KERNEL_NAME, "language": "typescript"}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells], metadata=metadata)


class Notebooks(unittest.TestCase):
    def test_nbclient_stops_at_each_kind_of_failure(self):
        for name, (code, words) in FAILURES.items():
            with self.subTest(name):
                run = notebook("%types on", code, "'never'")
                with self.assertRaises(CellExecutionError) as raised:
                    NotebookClient(run, kernel_name=KERNEL_NAME, timeout=60).execute()
                self.assertIn(words, str(raised.exception))
                self.assertEqual(run.cells[2].outputs, [])

    def test_exit_codes(self):
        path = Path(os.environ["GRAFT_TEST_FOLDER"]) / "run.ipynb"
        programs = {"nbclient": ["-c", "from nbclient.cli import main; main()", str(path)], "papermill": ["-m", "papermill", "--no-progress-bar", str(path), str(path.with_name("out.ipynb"))]}
        for failing in False, True:
            nbformat.write(notebook("const n = 1", "process.exit(0)" if failing else "n"), path)
            for name, words in programs.items():
                with self.subTest(name, failing=failing):
                    code = subprocess.run([sys.executable, *words], capture_output=True, timeout=120).returncode
                    self.assertEqual(code != 0, failing)
