"""Printing the augmentation of ``data.py``."""

from __future__ import annotations

from dlspec.elaborate.augmentation import augmenters
from dlspec.emit.code import call, literal, quoted
from dlspec.emit.names import PYTHON, Names, identifier
from dlspec.ir.data import DataSet

TAKEN = {
    "batch", "columns", "rows", "seed", "epoch", "place", "row", "stream", "rng", "other", "np", "count", "math",
    "augment", "enumerate", "others", "take", "taken",
}  # fmt: skip


def snippets(data: DataSet) -> list[str]:
    """The functions that a data set is altered with, each once."""
    return [augmenters()[name].text for name in dict.fromkeys(step.function for step in data.augment)]


def print_augmentation(data: DataSet) -> str:
    """The statements that alter one example of a batch: `batch`, `place` and `row` say which."""
    if not data.augment:
        return ""
    columns = list(dict.fromkeys(name for step in data.augment for name in step.columns))
    names = Names({*PYTHON, *TAKEN, *augmenters()})
    variables = {column: names(column, identifier(column)) for column in columns}
    lines = [f"{variables[name]} = batch[{quoted(name)}][place]" for name in columns]
    for step in data.augment:
        mine = [variables[name] for name in step.columns]
        options = [(name, literal(value)) for name, value in step.options.items()]
        if augmenters()[step.function].several:
            lines.append("other = rng.integers(count(columns))")
            if data.stream:
                lines.append('others = take(columns["row"][other : other + 1])')
            read = "others[{}][0]" if data.stream else "columns[{}][other]"
            others = [read.format(quoted(name)) for name in step.columns]
            args = [f"[{', '.join(mine)}]", f"[{', '.join(others)}]", "rng"]
        else:
            args = [*mine, "rng"]
        lines.append(f"{', '.join(mine)} = {call(step.function, args, options)}")
    lines += [f"batch[{quoted(name)}][place] = {variables[name]}" for name in columns]
    return "\n".join(lines)
