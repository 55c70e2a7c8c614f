"""Pieces of Python: parentheses, literals, line breaks, imports."""

from __future__ import annotations

import ast
import random
import subprocess
import sys

import pytest

from dlspec.emit.code import Code, call, infix, literal, prefix
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.wrap import tidy

A, B, C = Code("a"), Code("b"), Code("c")


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (infix("+", A, infix("*", B, C)), "a + b * c"),
        (infix("*", infix("+", A, B), C), "(a + b) * c"),
        (infix("-", A, infix("-", B, C)), "a - (b - c)"),
        (infix("-", infix("-", A, B), C), "a - b - c"),
        (infix("**", prefix("-", A), literal(2)), "(-a) ** 2"),
        (prefix("-", infix("**", A, literal(2))), "-(a**2)"),
        (infix("**", A, literal(-0.5)), "a**-0.5"),
        (infix("**", call("f", ["a"]), literal(2)), "f(a) ** 2"),
        (infix("==", infix("<", A, B), C), "(a < b) == c"),
        (infix("&", infix("<", A, B), prefix("~", C)), "(a < b) & ~c"),
        (infix("@", A, infix("@", B, C)), "a @ (b @ c)"),
        (infix("*", literal(-1.0), A), "-1.0 * a"),
        (prefix("-", prefix("-", A)), "--a"),
    ],
)
def test_parentheses_are_where_they_are_needed(made: Code, text: str) -> None:
    assert made == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"), (1e-6, "1e-6"), (1e30, "1e30"), (-1e-20, "-1e-20"), (0.1, "0.1"), (True, "True"), (None, "None"),
        (float("inf"), 'float("inf")'), (float("-inf"), '-float("inf")'), (float("nan"), 'float("nan")'),
        ((3, 5), "(3, 5)"), ((3,), "(3,)"), ([1, [2]], "[1, [2]]"), ("it's", '"it\'s"'), ('"', "'\"'"),
        ({"a": 1}, '{"a": 1}'), ((), "()"), (1e22, "1e22"), (123456789.0, "123456789.0"),
    ],
)  # fmt: skip
def test_literals(value: object, text: str) -> None:
    assert literal(value) == text


def test_imports_are_merged_and_sorted() -> None:
    lines = ["import torch.nn.functional as F", "from torch import Tensor", "from torch import nn", "import math",
             "import torch", "from pathlib import Path", "from a import (z, B, C_D)"]  # fmt: skip
    assert block(lines) == (
        "import math\nfrom pathlib import Path\n\nimport torch\nimport torch.nn.functional as F\n"
        "from a import C_D, B, z\nfrom torch import Tensor, nn"
    )
    table = {r"\bF\.": "import F", r"\bnn\.": "import nn"}
    assert needed('"""F. is here"""\nx = "F.relu" # F.\ny = nn.Linear', table) == ["import nn"]
    assert split_imports("import a\nfrom b import c\n\n\ndef f(): ...\n") == (
        ["import a", "from b import c"],
        "def f(): ...",
    )


def lines_at_random(seed: int) -> list[str]:
    """Statements of the kinds that are printed, many of them too long for a line."""
    draw = random.Random(seed)
    atoms = ["x", "hidden_state", "in_channels", "128", "0.5", '"mean, (of) all"', "self.scale", "True"]
    functions = ["F.relu", "self.conv1", "nn.Conv2d", "self.transformer_layer.attention", "x.reshape"]

    def expression(depth: int) -> str:
        kind = draw.random()
        if depth == 0 or kind < 0.25:
            return draw.choice(atoms)
        items = [expression(depth - 1) for _ in range(draw.randint(1, 4))]
        if kind < 0.35:
            return f"[{', '.join(items)}]"
        if kind < 0.42 and len(items) > 1:
            return f"({', '.join(items)})"
        if kind < 0.5:
            return "{" + ", ".join(f'"key{i}": {item}' for i, item in enumerate(items)) + "}"
        if kind < 0.6:
            return " + ".join(f"f({item})" for item in items[:3]) if len(items) > 2 else items[0]
        return applied(depth)

    def applied(depth: int) -> str:
        names = draw.sample(["stride", "padding", "device", "nonlinearity"], draw.randint(0, 3))
        args = [expression(depth - 1) for _ in range(draw.randint(0, 3))]
        return f"{draw.choice(functions)}({', '.join([*args, *(f'{n}={expression(depth - 1)}' for n in names)])})"

    made = []
    for _ in range(60):
        made.append(f"{draw.choice(['x', 'a, b', 'self.some_attribute'])} = {applied(3)}")
        params = ", ".join(
            f"parameter{i}: {draw.choice(['int', 'tuple[int, ...]'])}" for i in range(draw.randint(1, 6))
        )
        made.append(f"def function({params}) -> tuple[Tensor, Tensor]:\n    return {applied(2)}")
    return made


@pytest.mark.parametrize("seed", range(3))
def test_lines_are_broken_as_ruff_breaks_them(seed: int, tmp_path) -> None:
    before = [
        *lines_at_random(seed),
        "from some.module import " + ", ".join(f"some_function_{i}" for i in range(9)),
    ]
    for i, line in enumerate(before):
        (tmp_path / f"ours{i}.py").write_text(tidy(line))
        ast.parse(tidy(line))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[:3000]


def test_blank_lines() -> None:
    text = (
        '"""Doc."""\nimport a\nclass A:\n    """Doc."""\n    x = 1\n    def f(self):\n\n        return 1\n'
        "    def g(self):\n        return 2\nx = 1\n"
    )
    assert tidy(text) == (
        '"""Doc."""\n\nimport a\n\n\nclass A:\n    """Doc."""\n\n    x = 1\n\n    def f(self):\n        return 1\n\n'
        "    def g(self):\n        return 2\n\n\nx = 1\n"
    )
