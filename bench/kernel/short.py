"""What one waits for in any notebook: the start, small cells, a longer one, much output."""
import statistics

from cells import LINES, LONG, small_cells
from client import Kernel, Lost

# The other peers take seconds for many lines, or lose the end.
PRINTERS = ("graft", "graft, %types off", "ipykernel", "echo")


def measure(name, cells, seed):
    kernel = Kernel(name)
    try:
        values = {"start → kernel_info, ms": kernel.to_info * 1000, "start → first result, ms": kernel.to_result and kernel.to_result * 1000}
        times = [kernel.run(code)[0] for code in small_cells(kernel.language, cells, seed)]
        values["small cell → idle, ms"] = statistics.median(times) * 1000
        times = [kernel.run(LONG[kernel.language].format(n=n))[0] for n in range(10)]
        values["15-line cell → idle, ms"] = statistics.median(times) * 1000
        if name in PRINTERS:
            seconds, lines, messages = kernel.run(LINES[kernel.language])
            values["20,000 lines → idle, ms"] = seconds * 1000
            values["20,000 lines: missing at idle"] = 20000 - lines
            values["20,000 lines: messages after idle"] = late(kernel)
        return values
    finally:
        kernel.close()


def late(kernel):
    count = 0
    try:
        while True:
            count += kernel.published(0.5)[0] == "stream"
    except Lost:
        return count
