"""Executes a notebook with its kernel and writes the executed copy, cell by cell, so that a failure keeps what ran.

Usage: python execute.py NOTEBOOK OUT [name=value ...]
A value given here replaces the one in the cell tagged `parameters` (the papermill convention), in TypeScript.
Ends with 0 if every cell ran, 1 if a cell failed, 2 if the notebook or the kernel could not be used.
"""
import json
import os
import re
import sys
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError


class Unusable(Exception):
    """The notebook or a parameter cannot be used; the message says why."""


STRING = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`"


def parameter_cell(notebook, given):
    tagged = [i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', [])]
    lines = []
    for pair in given:
        name, sign, value = pair.partition('=')
        if not sign or not re.fullmatch(r'[^\W\d]\w*', name):
            raise Unusable(f"-p expects name=value, e.g. epochs=3; received '{pair}'")
        try:
            json.loads(value)
        except ValueError:
            value = json.dumps(value, ensure_ascii=False)
        lines.append((name, value))
    if not lines:
        return
    if not tagged:
        raise Unusable("parameters were given, but no cell of the notebook is tagged 'parameters'")
    cell = notebook.cells[tagged[0]]
    for name, value in lines:
        declaration = rf"\s*(?:const|let|var)\s+{re.escape(name)}\b[^=]*=\s*"
        pattern = re.compile(rf"^({declaration})((?:{STRING}|(?!//)[^\n'\"`])*?)(\s*//[^\n]*)?$", re.M)
        found = pattern.search(cell.source)
        if found and re.sub(STRING, '', found[2]).rstrip()[-1:] in tuple('{[('):
            raise Unusable(f"the parameter '{name}' goes over several lines; only one on a line of its own can be given")
        cell.source, count = pattern.subn(lambda m: m.group(1) + value + (m.group(3) or ''), cell.source, count=1)
        if not count:
            known = ', '.join(re.findall(r'^\s*(?:const|let|var)\s+(\w+)', cell.source, re.M))
            raise Unusable(f"the notebook has no parameter '{name}'; it has {known}")


def write(notebook, out):
    temporary = f'{out}.{os.getpid()}.tmp'
    nbformat.write(notebook, temporary)
    os.replace(temporary, out)


def main(source, out, given):
    try:
        notebook = nbformat.read(source, as_version=4)
    except Exception as error:
        print(f'{source} is not a notebook: {error}', file=sys.stderr)
        return 2
    try:
        parameter_cell(notebook, given)
    except Unusable as error:
        print(f'{source}: {error}', file=sys.stderr)
        return 2
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == 'code']
    started = {}

    def began(cell, cell_index):
        started[cell_index] = time.time()
        first = next((line for line in cell.source.splitlines() if line.strip() and not line.startswith('//')), '')
        print(f'  cell {code.index(cell_index) + 1} of {len(code)}: {first[:90]}', flush=True)

    def ended(cell, cell_index, execute_reply):
        write(notebook, out)

    client = NotebookClient(notebook, kernel_name='graft', timeout=None, record_timing=False, store_widget_state=False,
                            resources={'metadata': {'path': os.path.dirname(os.path.abspath(source))}})
    client.on_cell_start = lambda cell, cell_index: began(cell, cell_index) if cell.cell_type == 'code' else None
    client.on_cell_executed = ended
    try:
        client.execute()
    except CellExecutionError as error:
        write(notebook, out)
        print(f'\n{error}\nStopped; what ran is in {out}', file=sys.stderr)
        return 1
    except DeadKernelError as error:
        write(notebook, out)
        print(f'\nthe kernel died: {error}\nStopped; what ran is in {out}', file=sys.stderr)
        return 2
    write(notebook, out)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
