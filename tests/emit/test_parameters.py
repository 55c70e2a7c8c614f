"""The law of constructor parameters: a class is what the spec would have made with another value, too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_model

ROOT = Path(__file__).resolve().parents[2] / "specs"
SPECS = [path for path in sorted(ROOT.rglob("*.dls")) if "std" not in path.parts]
BACKEND = load_backend("torch")


def classes(text: str) -> str:
    """The classes of a module without defaults, docstrings and comments."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.Module) and ast.get_docstring(node):
            del node.body[0]
        if isinstance(node, ast.FunctionDef):
            node.args.defaults = []
    return ast.unparse(tree)


def whole_parameters(text: str, model: str) -> Iterator[tuple[str, int]]:
    """The whole-number parameters of the printed model, with their defaults."""
    last = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)][-1]
    for node in last.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            args = node.args.args
            for arg, default in zip(
                args[len(args) - len(node.args.defaults) :], node.args.defaults, strict=True
            ):
                if isinstance(default, ast.Constant) and type(default.value) is int:
                    yield arg.arg, default.value


def others(value: int) -> list[int]:
    return [other for other in (value // 2, value * 2, value * 3, value + 1) if other > 0 and other != value]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_parameter_may_be_given_another_value(path: Path) -> None:
    program = load_program(path)
    for model in program.models:
        text = print_model(program, model, BACKEND)
        for param, value in whole_parameters(text, model):
            for other in others(value):
                try:
                    changed = load_program(path, {f"{model}.{param}": str(other)})
                except SpecError:
                    continue
                printed = print_model(changed, model, BACKEND)
                if param in dict(whole_parameters(printed, model)):  # else that value is a special one
                    assert classes(printed) == classes(text), (model, param, other)
                    break
