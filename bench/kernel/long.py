"""A long notebook typed with TensorFlow.js: does the 300th cell cost what the first did, in time and in memory? And help while typing."""
import statistics
import time

from cells import IMPORT, typed_cells
from client import Kernel, Lost


def one_by_one(name, count, seed):
    """Every cell waits for the one before it, as when one person types."""
    kernel = Kernel(name)
    try:
        kernel.run(IMPORT, silence=60)
        cells, names = typed_cells(count, seed)
        times, values, lost = [], {}, 0
        for number, code in enumerate(cells, 1):
            try:
                times.append(kernel.run(code)[0] * 1000)
            except Lost:
                # tslab now and then says nothing of a cell's end; where that is the rule, there is nothing to measure.
                lost += 1
                if lost > 5:
                    raise
            if number in (50, count):
                values[f"memory after cell {number}, MB"] = kernel.memory()
        values["cells whose end was lost"] = lost
        values["first 20 cells, ms"] = statistics.median(times[:20])
        values["last 20 cells, ms"] = statistics.median(times[-20:])
        words = [f"{name}.ad" for name in names[-12:]]
        complete = [kernel.complete(code) * 1000 for code in words]
        values["complete with tfjs, first, ms"] = complete[0]
        values["complete with tfjs, warm, ms"] = statistics.median(complete[2:])
        calls = [f"const layer{n} = tf.layers.dense({{ units: {n + 1} }})" for n in range(12)]
        hover = [kernel.inspect(code, code.index("dense") + 2) * 1000 for code in calls]
        values["hover with tfjs, warm, ms"] = statistics.median(hover[2:])
        return values
    finally:
        kernel.close()


def run_all(name, count, seed):
    """All cells are queued at once."""
    kernel = Kernel(name)
    try:
        kernel.run(IMPORT, silence=60)
        asked = [kernel.execute(code) for code in typed_cells(count, seed)[0]]
        begin, ends = time.perf_counter(), []
        while len(ends) < count:
            msg_type, parent, content = kernel.published(20)
            if msg_type == "status" and b'"idle"' in content and asked[len(ends)] in parent:
                ends.append(time.perf_counter())
        return {"run all: first 20 cells, ms": (ends[19] - begin) / 20 * 1000, "run all: last 20 cells, ms": (ends[-1] - ends[-21]) / 20 * 1000}
    finally:
        kernel.close()


def measure(name, count, seed):
    values = one_by_one(name, count, seed)
    values["last 20 / first 20"] = values["last 20 cells, ms"] / values["first 20 cells, ms"]
    values[f"memory {count} / 50"] = values[f"memory after cell {count}, MB"] / values["memory after cell 50, MB"]
    try:
        values |= run_all(name, count, seed)
        values["run all: last 20 / first 20"] = values["run all: last 20 cells, ms"] / values["run all: first 20 cells, ms"]
    except Lost:
        # tslab loses requests that come while it is busy.
        values |= {metric: None for metric in ("run all: first 20 cells, ms", "run all: last 20 cells, ms", "run all: last 20 / first 20")}
    return values
