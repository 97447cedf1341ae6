"""Measures a long notebook typed with TensorFlow.js: does the 300th cell cost what the first did, in time and in memory?"""
import argparse
import random
import statistics
import time

from measure import KERNELS, Kernel

# Cells of the library need no import in Graft; the import is what all kernels understand.
IMPORT = "import * as tf from '@tensorflow/tfjs'"


def typed_cells(count, seed):
    """Small cells of tensors drawn at random; half use a name of an earlier one."""
    draw = random.Random(seed)
    cells, names = [], []
    for n in range(count):
        value = f"tf.tensor1d([{draw.randrange(100)}, {n}])"
        if names and draw.random() < 0.5:
            other = draw.choice(names)
            cells.append(draw.choice([f"{other}.add({value}).shape[0]", f"const t{n} = {value}.mul({other})"]))
        else:
            cells.append(f"const t{n} = {value}")
        if cells[-1].startswith("const"):
            names.append(f"t{n}")
    return cells, names


def timed(kernel, message):
    begin = time.perf_counter()
    kernel.reply(message())
    return (time.perf_counter() - begin) * 1000


def one_by_one(spec, first, count, seed):
    """Every cell waits for the one before it, as when one person types."""
    kernel = Kernel(spec, first)
    try:
        kernel.run(IMPORT, silence=60)
        cells, names = typed_cells(count, seed)
        times, values = [], {}
        for number, code in enumerate(cells, 1):
            times.append(kernel.run(code, silence=60)[0] * 1000)
            if number in (50, count):
                values[f"memory after cell {number}, MB"] = kernel.memory()
        values["first 20 cells, ms"] = statistics.median(times[:20])
        values["last 20 cells, ms"] = statistics.median(times[-20:])
        words = [f"{name}.ad" for name in names[-12:]]
        complete = [timed(kernel, lambda code=code: kernel.client.complete(code, len(code))) for code in words]
        values["complete with tfjs, first, ms"] = complete[0]
        values["complete with tfjs, warm, ms"] = statistics.median(complete[2:])
        calls = [f"const layer{n} = tf.layers.dense({{ units: {n + 1} }})" for n in range(12)]
        hover = [timed(kernel, lambda code=code: kernel.client.inspect(code, code.index("dense") + 2)) for code in calls]
        values["hover with tfjs, warm, ms"] = statistics.median(hover[2:])
        return values
    finally:
        kernel.close()


def run_all(spec, first, count, seed):
    """All cells are queued at once."""
    kernel = Kernel(spec, first)
    try:
        kernel.run(IMPORT, silence=60)
        asked = [kernel.client.execute(code) for code in typed_cells(count, seed)[0]]
        begin, ends = time.perf_counter(), []
        while len(ends) < count:
            message = kernel.client.get_iopub_msg(timeout=60)
            content = message["content"]
            if message["msg_type"] == "status" and content["execution_state"] == "idle" and message["parent_header"].get("msg_id") == asked[len(ends)]:
                ends.append(time.perf_counter())
        return {"run all: first 20 cells, ms": (ends[19] - begin) / 20 * 1000, "run all: last 20 cells, ms": (ends[-1] - ends[-21]) / 20 * 1000}
    finally:
        kernel.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--cells", type=int, default=300)
    options.add_argument("--only", default="tslab")
    options = options.parse_args()
    names = ["graft", *[name for name in options.only.split(",") if name in KERNELS]]
    found = {name: {} for name in names}
    for turn in range(options.rounds):
        for name in random.sample(names, len(names)):
            spec, first, _ = KERNELS[name]
            for part in (one_by_one, run_all):
                try:
                    for metric, value in part(spec, first, options.cells, turn).items():
                        found[name].setdefault(metric, []).append(value)
                except Exception as error:
                    print(f"{name}, {part.__name__}, round {turn + 1}: {type(error).__name__} {error}")
    last = f"memory after cell {options.cells}, MB"
    grows = {"last 20 / first 20": ("last 20 cells, ms", "first 20 cells, ms"), "run all: last 20 / first 20": ("run all: last 20 cells, ms", "run all: first 20 cells, ms"),
             f"memory {options.cells} / 50": (last, "memory after cell 50, MB")}
    for values in found.values():
        for metric, (above, below) in grows.items():
            values[metric] = [a / b for a, b in zip(values.get(above, []), values.get(below, []))]
    print(f"\nmedians of {options.rounds} rounds in turns, {options.cells} cells typed with TensorFlow.js\n")
    print("| metric | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for metric in dict.fromkeys(metric for values in found.values() for metric in values):
        row = [statistics.median(values[metric]) if values.get(metric) else None for values in found.values()]
        print(f"| {metric} | " + " | ".join("never" if v is None else f"{v:.0f}" if v >= 100 else f"{v:.2f}" if "/" in metric else f"{v:.1f}" for v in row) + " |")


if __name__ == "__main__":
    main()
