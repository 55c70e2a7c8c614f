"""Metrics over an epoch, as they are printed."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project

SPEC = """
model Net {{
  input image: f32[N, 4]
  output logits = image -> Linear(2)
}}

data Flowers {{
  source  = sklearn("iris")
  columns = {{ image: f32[4], label: i64 }}
}}

train Net on Flowers {{
  loss      = cross_entropy(logits, label % 2)
  optimizer = SGD(lr = 0.1)
  metrics   = {{ {metrics} }}
}}
"""


def printed(metrics: str) -> str:
    program = loads(SPEC.format(metrics=metrics)).program
    return print_project(program, "Net", load_backend("torch"))["train.py"]


def functions(text: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}


def test_nothing_is_added_without_them() -> None:
    text = printed("accuracy: accuracy(logits, label % 2)")
    assert "over_all" not in text
    assert "import numpy" not in text


@pytest.mark.parametrize(
    "name", ["parts", "metrics", "float", "np", "sums", "loss_", "edit_distance", "examples"]
)
def test_any_name_will_do(name: str) -> None:
    """A metric, and what it is made of, may be called as the printed function calls its own things."""
    text = printed(f"{name}: total(sum(label)) / N, rows: max(collect(label)) * 2")
    function = functions(text)["metrics"]
    space: dict[str, object] = {"np": np, "Any": object}
    exec(compile(ast.Module([function], []), "train.py", "exec"), space)
    given = {"loss": 1.5, f"{name}_part": 6.0, "examples": 4, "label": np.array([0, 2])}
    assert space["metrics"](given) == {"loss": 1.5, name: 1.5, "rows": 4.0}  # type: ignore[operator]


def test_a_shared_part_is_computed_once() -> None:
    text = printed("mean: total(sum(label)) / N, double: total(sum(label)) * 2 / N")
    assert text.count("label.sum()") == 1
