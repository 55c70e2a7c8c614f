"""Generated data: the functions in ``backends/common/synthetic/``, read without being run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dlspec._data import data_path

TYPES = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
WORDS = {"int": "a whole number", "float": "a number", "str": "a string", "bool": "true or false"}


@dataclass(frozen=True, slots=True)
class Generator:
    """A function ``NAME(seed, *, option: type = default)`` that returns columns.

    options
        the type of each keyword, by name: one of `TYPES`.
    columns
        the keys of the dictionary that it returns.
    """

    name: str
    text: str
    options: Mapping[str, str]
    columns: tuple[str, ...]

    def wrong(self, option: str, value: Any) -> str | None:
        """What the option must be, where `value` is not."""
        return wrong_value(self.options[option], value)


def wrong_value(kind: str, value: Any) -> str | None:
    """What an option of this type must be, where `value` is not."""
    fits = isinstance(value, TYPES[kind]) and (kind == "bool") == isinstance(value, bool)
    return None if fits else WORDS[kind]


def keyword_types(function: ast.FunctionDef) -> dict[str, str]:
    """The types of the keywords of a function, as written."""
    return {each.arg: ast.unparse(each.annotation) for each in function.args.kwonlyargs if each.annotation}


@cache
def generators() -> Mapping[str, Generator]:
    """Every generator by name."""
    folder = data_path("backends") / "common" / "synthetic"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".py")), key=lambda f: f.name)
    return {file.name[:-3]: _read(file.name[:-3], file.read_text("utf-8")) for file in files}


def _read(name: str, text: str) -> Generator:
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    function = functions[name]
    returned = next(node.value for node in function.body if isinstance(node, ast.Return))
    assert isinstance(returned, ast.Dict), f"synthetic/{name}.py must end with `return {{...}}`"
    columns = tuple(str(ast.literal_eval(key)) for key in returned.keys if key)
    return Generator(name, text, keyword_types(function), columns)
