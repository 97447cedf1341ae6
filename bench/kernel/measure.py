"""Measures kernels in turns and prints medians, with each kernel's ratio to Graft with and without type checks."""
import argparse
import random
import statistics
import time
from queue import Empty

import psutil
from jupyter_client.manager import KernelManager

KERNELS = {
    # name: (kernelspec, what is run first, language)
    "graft": ("bench-graft", None, "ts"),
    "graft, %types off": ("bench-graft", "%types off", "ts"),
    "deno": ("bench-deno", None, "ts"),
    "tslab": ("bench-tslab", None, "ts"),
    "ijavascript": ("bench-ijavascript", None, "js"),
    "ipykernel": ("bench-ipykernel", None, "py"),
}
LINES = {"ts": "for (let i = 0; i < 20000; i++) console.log(i)", "py": "for i in range(20000): print(i)"}
LONG = {
    "ts": """interface Item{n} {{ name: string, price: number, tags: string[] }}
const items{n}: Item{n}[] = [
  {{ name: 'a', price: 1, tags: ['x'] }},
  {{ name: 'b', price: 2, tags: ['y', 'z'] }},
]
function total{n}(list: Item{n}[]): number {{
  let sum = 0
  for (const item of list) {{
    if (item.tags.length > 0) sum += item.price
  }}
  return sum
}}
const names{n} = items{n}.map(item => item.name)
const byName{n} = new Map(items{n}.map(item => [item.name, item] as const))
total{n}(items{n}) + names{n}.length + byName{n}.size""",
    "py": """from dataclasses import dataclass
@dataclass
class Item{n}:
    name: str
    price: float
    tags: list
items{n} = [Item{n}('a', 1, ['x']), Item{n}('b', 2, ['y', 'z'])]
def total{n}(items):
    total = 0
    for item in items:
        if len(item.tags) > 0:
            total += item.price
    return total
names{n} = [item.name for item in items{n}]
by_name{n} = {{item.name: item for item in items{n}}}
total{n}(items{n}) + len(names{n}) + len(by_name{n})""",
}
LONG["js"] = LONG["ts"].replace("interface Item{n} {{ name: string, price: number, tags: string[] }}\n", "").replace(": Item{n}[]", "").replace(": number", "").replace(" as const", "")
LINES["js"] = LINES["ts"]


class Kernel:
    def __init__(self, spec, first):
        self.start = time.perf_counter()
        self.manager = KernelManager(kernel_name=spec)
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.reply(self.client.kernel_info())
        self.to_info = time.perf_counter() - self.start
        # Some kernels drop what they publish before a subscription has come through.
        if first:
            self.run(first)
        self.run("1 + 1")
        self.to_result = time.perf_counter() - self.start

    def reply(self, msg_id, timeout=60):
        while self.client.get_shell_msg(timeout=timeout)["parent_header"].get("msg_id") != msg_id:
            pass

    def run(self, code, timeout=60, silence=5):
        """Seconds from sending to idle and reply; and the streams. Without a message for so many seconds of silence, idle never comes."""
        begin = time.perf_counter()
        msg_id = self.client.execute(code)
        text, messages = 0, 0
        idle = False
        while not idle:
            try:
                message = self.client.get_iopub_msg(timeout=silence)
            except Empty:
                break
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            if message["msg_type"] == "stream":
                text += message["content"]["text"].count("\n")
                messages += 1
            idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
        self.reply(msg_id, timeout)
        return (time.perf_counter() - begin) if idle else None, text, messages

    def memory(self):
        own = psutil.Process(self.manager.provisioner.pid)
        return sum(p.memory_full_info().pss for p in [own, *own.children(recursive=True)]) / 2**20

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def small_cells(language, count, seed):
    """Small cells drawn at random; half use a name of an earlier one."""
    draw = random.Random(seed)
    cells, names = [], []
    for n in range(count):
        name, number = f"v{n}", draw.randrange(1000)
        declare = f"{name} = {number}" if language == "py" else f"const {name} = {number}"
        if names and draw.random() < 0.5:
            other = draw.choice(names)
            cells.append(draw.choice([f"{other} + {number}", f"{declare} + {other}"]))
            if cells[-1].startswith(declare):
                names.append(name)
        else:
            cells.append(declare)
            names.append(name)
    return cells


def measure(name, cells, seed):
    spec, first, language = KERNELS[name]
    kernel = Kernel(spec, first)
    try:
        values = {"start → kernel_info, ms": kernel.to_info * 1000, "start → first result, ms": kernel.to_result * 1000}
        times = [kernel.run(code)[0] for code in small_cells(language, cells, seed)]
        values["small cell → idle, ms"] = statistics.median(times) * 1000
        long_times = [kernel.run(LONG[language].format(n=n))[0] for n in range(10)]
        values["15-line cell → idle, ms"] = statistics.median(long_times) * 1000
        begin = time.perf_counter()
        kernel.reply(kernel.client.complete("Mat" if language != "py" else "pri"))
        values["complete, first, ms"] = (time.perf_counter() - begin) * 1000
        values["memory (PSS of the tree), MB"] = kernel.memory()
        seconds, lines, messages = kernel.run(LINES[language])
        values["20,000 lines → idle, ms"] = seconds and seconds * 1000
        values["20,000 lines: seen before idle"] = lines
        values["20,000 lines: stream messages"] = messages
        return values
    finally:
        kernel.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--cells", type=int, default=60)
    options.add_argument("--only", default="")
    options = options.parse_args()
    names = [name for name in KERNELS if not options.only or name.startswith("graft") or name in options.only.split(",")]
    results = {name: {} for name in names}
    for turn in range(options.rounds):
        for name in random.sample(names, len(names)):
            try:
                for metric, value in measure(name, options.cells, turn).items():
                    results[name].setdefault(metric, []).append(value)
            except Exception as error:
                print(f"{name}, round {turn + 1}: {type(error).__name__} {error}")
    metrics = list(dict.fromkeys(metric for each in results.values() for metric in each))
    print(f"\nmedians of {options.rounds} rounds in turns; in brackets: Graft's value, by this one\n")
    print("| metric | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for metric in metrics:
        row = []
        for name in names:
            values = [value for value in results[name].get(metric, []) if value is not None]
            if not values:
                row.append("never")
                continue
            value = statistics.median(values)
            ours = [v for v in results["graft"].get(metric, []) if v is not None]
            ratio = f" ({statistics.median(ours) / value:.2f})" if ours and value and not name.startswith("graft") and "seen" not in metric else ""
            row.append((f"{value:.1f}" if value < 100 else f"{value:.0f}") + ratio)
        print(f"| {metric} | " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
