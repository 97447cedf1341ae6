"""The cells that are measured, drawn at random from a seed."""
import random

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

# Cells of the library need no import in Graft; the import is what all kernels understand.
IMPORT = "import * as tf from '@tensorflow/tfjs'"


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
