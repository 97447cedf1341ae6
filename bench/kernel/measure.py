"""Measures kernels in turns, and prints what is found beside the marks that are set. `run.js` calls it."""
import argparse
import random
import statistics
import time

import long
import short
from client import KERNELS, Kernel

PEERS = ("deno", "tslab", "ijavascript", "ipykernel")
OFF = "graft, %types off"

# metric, which Graft, the peer (or all of them: the best counts), and how large the ratio may be. Without a peer it is the value that counts.
MARKS = [
    ("start → first result, ms", OFF, PEERS, 0.6),
    ("small cell → idle, ms", OFF, ("deno",), 0.5),
    ("start → first result, ms", "graft", ("tslab",), 0.25),
    ("small cell → idle, ms", "graft", ("tslab",), 0.5),
    ("15-line cell → idle, ms", "graft", ("tslab",), 0.4),
    ("20,000 lines → idle, ms", "graft", ("ipykernel",), 0.1),
    ("20,000 lines: missing at idle", "graft", (), 0),
    ("20,000 lines: messages after idle", "graft", (), 0),
    ("complete with tfjs, warm, ms", "graft", (), 20),
    ("complete with tfjs, first, ms", "graft", ("tslab",), 0.7),
    ("hover with tfjs, warm, ms", "graft", (), 15),
    ("last 20 / first 20", "graft", (), 1.1),
    ("run all: last 20 / first 20", "graft", (), 1.1),
    ("memory after cell {cells}, MB", "graft", ("tslab",), 1.5),
    ("memory {cells} / 50", "graft", (), 1.1),
]


def prepare(names):
    """Lets each kernel fill its caches: none is measured as it starts for the first time after it was installed."""
    for name in names:
        kernel = Kernel(name)
        time.sleep(2)
        kernel.close()


def rounds(measure, names, count, cells, found):
    for turn in range(count):
        for name in random.sample(names, len(names)):
            try:
                for metric, value in measure(name, cells, turn).items():
                    found[name].setdefault(metric, []).append(value)
            except Exception as error:
                print(f"{name}, round {turn + 1}: {type(error).__name__} {error}")


def written(value):
    return "never" if value is None else f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def values(found, name, metric):
    return [value for value in found[name].get(metric, []) if value is not None]


def print_medians(found, names):
    metrics = list(dict.fromkeys(metric for each in found.values() for metric in each))
    print("\nMedians; `echo` computes nothing, so its times are the client's own.\n")
    print("| metric | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for metric in metrics:
        row = [statistics.median(values(found, name, metric)) if values(found, name, metric) else None if metric in found[name] else "" for name in names]
        print(f"| {metric} | " + " | ".join(value if value == "" else written(value) for value in row) + " |")


def print_marks(found, cells):
    print("\nThe marks. A machine that does other things at the same time only adds: each value is the least of the rounds, and the ratio is of these; in brackets the ratio of medians.\n")
    print("| metric | Graft | peer | ratio | mark | |\n|---|---|---|---|---|---|")
    for metric, ours, peers, mark in MARKS:
        metric = metric.format(cells=cells)
        own = values(found, ours, metric)
        others = {peer: values(found, peer, metric) for peer in peers if peer in found and values(found, peer, metric)}
        label = metric if ours == "graft" else f"`%types off`: {metric}"
        if not own or (peers and not others):
            print(f"| {label} | {'–' if not own else written(min(own))} | – | – | ≤ {mark}{' ×' if peers else ''} | not measured |")
        elif not peers:
            value = statistics.median(own)
            print(f"| {label} | {written(value)} | | | ≤ {mark} | {'met' if value <= mark else '**not met**'} |")
        else:
            best = min(others, key=lambda peer: min(others[peer]))
            ratio, usual = min(own) / min(others[best]), statistics.median(own) / statistics.median(others[best])
            print(f"| {label} | {written(min(own))} | {best} {written(min(others[best]))} | {ratio:.2f} ({usual:.2f}) | ≤ {mark} × | {'met' if ratio <= mark else '**not met**'} |")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--cells", type=int, default=300)
    options.add_argument("--only", default="")
    options.add_argument("--part", choices=("short", "long"))
    options = options.parse_args()
    names = [name for name in KERNELS if not options.only or name.startswith("graft") or name in options.only.split(",")]
    found = {name: {} for name in names}
    prepare(names)
    if options.part != "long":
        rounds(short.measure, names, options.rounds, 60, found)
    if options.part != "short":
        rounds(long.measure, [name for name in ("graft", "tslab") if name in names], max(1, options.rounds // 2), options.cells, found)
    print_medians(found, names)
    print_marks(found, options.cells)


if __name__ == "__main__":
    main()
