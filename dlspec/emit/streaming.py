"""Printing a data set whose examples are read batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.elaborate.augmentation import augmenters
from dlspec.emit.code import quoted
from dlspec.ir.training import DataSet

IMPORTS = {
    r"\bAny\b": "from typing import Any",
    r"\bCallable\b": "from collections.abc import Callable, Iterable",
    r"\bdeque\b": "from collections import deque",
    r"\bThreadPoolExecutor\b": "from concurrent.futures import Future, ThreadPoolExecutor",
}


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
        "mixes": any(augmenters()[step.function].several for step in data.augment),
    }
