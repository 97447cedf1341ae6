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


def parameter_cell(notebook, given):
    tagged = [i for i, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', [])]
    lines = []
    for pair in given:
        name, _, value = pair.partition('=')
        try:
            json.loads(value)
        except ValueError:
            value = json.dumps(value)
        lines.append((name, value))
    if not lines:
        return
    if not tagged:
        raise SystemExit("parameters were given, but no cell of the notebook is tagged 'parameters'")
    cell = notebook.cells[tagged[0]]
    for name, value in lines:
        pattern = re.compile(rf"^(\s*(?:const|let|var)\s+{re.escape(name)}\b[^=]*=\s*)([^\n]*?)(\s*//[^\n]*)?$", re.M)
        cell.source, count = pattern.subn(lambda m: m.group(1) + value + (m.group(3) or ''), cell.source, count=1)
        if not count:
            known = ', '.join(re.findall(r'^\s*(?:const|let|var)\s+(\w+)', cell.source, re.M))
            raise SystemExit(f"the notebook has no parameter '{name}'; it has {known}")


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
    parameter_cell(notebook, given)
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == 'code']
    started = {}

    def began(cell, cell_index):
        started[cell_index] = time.time()
        first = next((line for line in cell.source.splitlines() if line.strip() and not line.startswith('//')), '')
        print(f'  cell {code.index(cell_index) + 1} of {len(code)}: {first[:90]}', flush=True)

    def ended(cell, cell_index, execute_reply):
        write(notebook, out)

    client = NotebookClient(notebook, kernel_name='graft', timeout=None, record_timing=False,
                            resources={'metadata': {'path': os.path.dirname(os.path.abspath(source))}})
    client.on_cell_start = lambda cell, cell_index: began(cell, cell_index) if cell.cell_type == 'code' else None
    client.on_cell_executed = ended
    try:
        client.execute()
    except CellExecutionError as error:
        write(notebook, out)
        print(f'\n{error}', file=sys.stderr)
        return 1
    except DeadKernelError as error:
        write(notebook, out)
        print(f'\nthe kernel died: {error}', file=sys.stderr)
        return 2
    write(notebook, out)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
