"""Did you mean ...?"""

from __future__ import annotations

import pytest

from dlspec.diagnostics.suggest import ALIASES, closest
from dlspec.ir.types import DTYPES
from dlspec.ops import operators
from dlspec.ops.optimizers import optimizers

KNOWN = [
    "Linear",
    "Conv1d",
    "Conv2d",
    "MaxPool2d",
    "BatchNorm",
    "relu",
    "silu",
    "softmax",
    "matmul",
    "true",
    "lr",
]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Dense", "Linear"),
        ("Conv2D", "Conv2d"),
        ("MaxPooling2D", "MaxPool2d"),
        ("swish", "silu"),
        ("learning_rate", "lr"),
        ("linear", "Linear"),
        ("Linaer", "Linear"),
        ("ReLU", "relu"),
        ("softmx", "softmax"),
        ("True", "true"),
        ("Transformer", None),
        ("x", None),
        ("", None),
    ],
)
def test_closest(name: str, meant: str | None) -> None:
    assert closest(name, KNOWN) == meant


def test_alias_of_something_unknown_here() -> None:
    assert closest("Dense", ["Dance"]) == "Dance"
    assert closest("Dense", []) is None


def test_aliases_lead_somewhere() -> None:
    known = set(operators()) | set(optimizers()) | set(DTYPES) | {"true", "false", "none"}
    for cls in (*operators().values(), *optimizers().values()):
        known |= set(cls.model_fields)
    assert set(ALIASES.values()) <= known
