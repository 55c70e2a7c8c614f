"""Printing a data set whose examples are read batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.elaborate.augmentation import augmenters
from dlspec.emit.code import call, literal, quoted
from dlspec.emit.names import PYTHON, Names, identifier
from dlspec.ir.data import DataSet

IMPORTS = {
    r"\bAny\b": "from typing import Any",
    r"\bCallable\b": "from collections.abc import Callable, Iterable",
    r"\bdeque\b": "from collections import deque",
    r"\bThreadPoolExecutor\b": "from concurrent.futures import Future, ThreadPoolExecutor",
    **{rf"\b{name}\.": f"import {name}" for name in (
        "os", "pickle", "subprocess", "sys", "threading", "traceback",
    )},
}  # fmt: skip
TAKEN = {"np", "rows", "pieces", "start", "columns", "Moments", "ahead", "examples", "load", "KNOWN"}
PIECE = 64  # examples of which statistics are taken at a time


def stream_settings(data: DataSet, columns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the template of ``data.py`` is told: nothing is on where `stream` is None.

    chosen_by
        the column, of `columns` as they are printed, by which examples are dealt to the parts.
    mixes
        whether an altered example takes from another one.
    """
    rule = data.split_rule
    name = quoted(rule.column) if rule is not None and rule.column else None
    return {
        "stream": data.stream,
        "chosen_by": next((column for column in columns if column["name"] == name), None),
        "mixes": data.stream is not None
        and any(augmenters()[step.function].several for step in data.augment),
    }


def print_moments(data: DataSet, dtypes: Mapping[str, str]) -> str:
    """The body of the function that takes the statistics in one pass, in double precision."""
    names, taken = Names({*PYTHON, *TAKEN}), {}
    for moment in data.moments.values():
        base = "_".join([moment.column, *map(str, moment.axes[1:])])
        taken[moment.column, moment.axes] = names(f"{moment.column} {moment.axes}", identifier(base))
    results = []
    for name, moment in data.moments.items():
        value = f"{taken[moment.column, moment.axes]}.{'mean' if moment.kind == 'mean' else 'std()'}"
        results.append(f"{quoted(name)}: {value}.astype({dtypes[moment.type.dtype]})")
    found = f"{{{', '.join(results)}}}"
    processes = data.stream is not None and data.stream.processes
    lines = [
        *(f"{variable} = {call('Moments', map(literal, axes))}" for (_, axes), variable in taken.items()),
        'rows = load("train")["row"]',
        f"pieces = ((rows[start : start + {PIECE}],) for start in range(0, len(rows), {PIECE}))",
        "for columns in ahead(examples, pieces):",
        *(f"    {variable}.add(columns[{quoted(name)}])" for (name, _), variable in taken.items()),
        *([f"KNOWN.update({found})", "return KNOWN"] if processes else [f"return {found}"]),
    ]
    return "\n".join(lines)
