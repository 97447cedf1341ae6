"""Jupyter's own test kit for kernels, with every sample attribute set."""
import os

import jupyter_kernel_test

import harness


class GraftKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = harness.KERNEL_NAME
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "consol", "matches": {"console"}},
        {"text": "'x'.toUpperC", "matches": {"toUpperCase"}},
    ]
    complete_code_samples = ["const x = 1", "function f() {\n  return 1\n}", "", "interface A { a: string }", "`a\n${1}`", "{ a: 1, b: 2 }"]
    incomplete_code_samples = ["function f() {", "const x = [1,", "`abc", "/* a comment", "class A {\n  m() {"]
    invalid_code_samples = ["const = 1", "let x: = 2", ")", "1 +* 2"]
    code_page_something = "display.page('something')"
    code_generate_error = "throw new Error('broken')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "[1, 2].map(x => x * 2)", "result": "[ 2, 4 ]"},
        {"code": "display; 6 * 7 * 1", "result": "42"},
        {"code": "await Promise.resolve('text')", "result": "'text'"},
    ]
    code_display_data = [
        {"code": "display.html('<b>bold</b>')", "mime": "text/html"},
        {"code": "display({ [Symbol.for('Jupyter.display')]: () => ({ 'image/svg+xml': '<svg/>' }) })", "mime": "image/svg+xml"},
    ]
    code_history_pattern = "6 [*] 7*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "console"
    code_clear_output = "clear()"


class WelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = harness.KERNEL_NAME
    support_iopub_welcome = True


def every_sample(cls):
    """The kit skips what has no sample, without a word: nothing may be skipped here."""
    return [name for name, value in vars(jupyter_kernel_test.KernelTests).items()
            if not name.startswith(("_", "test_")) and value in ("", [], ()) and not getattr(cls, name)]


assert not every_sample(GraftKernelTests), every_sample(GraftKernelTests)
assert os.environ["JUPYTER_PATH"]
