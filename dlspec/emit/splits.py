"""The rows of a split, as ``data.py`` chooses them."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from dlspec._data import data_path
from dlspec.emit.code import literal
from dlspec.emit.templates import expressions
from dlspec.ir.data import DataSet, SplitRule


@cache
def _rules() -> dict[str, dict[str, Any]]:
    return tomllib.loads((data_path("backends") / "common" / "splits.toml").read_text("utf-8"))


def print_split(data: DataSet) -> dict[str, Any]:
    """What the template of ``data.py`` knows of the split: SPLIT, further constants, and how rows are chosen."""
    rule = data.split_rule or SplitRule(kind="random")
    printed = _rules()[rule.kind]
    environment = expressions({})
    environment.trim_blocks = environment.lstrip_blocks = True

    def fill(text: str) -> str:
        return environment.from_string(text).render(rule.model_dump())

    rows = fill(printed["rows"]).strip()
    if "total" in rows:
        rows = f"total = count(columns)\n{rows}"
    constants = [fill(line) for line in printed.get("constants", ())]
    if not data.shuffle:
        constants.append("SHUFFLE = False  # every epoch takes the examples as they come")
        if printed.get("dealt"):
            rows += "\nrows = np.sort(rows)  # in the order of the source"
    return {"split": literal(rule.values or data.split), "constants": constants, "rows": rows}
