"""Breaking long lines: as ruff does it, and without changing what they mean."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from dlspec.emit.wrap import tidy

LONG = "a_name_of_some_length"
LINES = {
    "comment": f"# {'a word ' * 14}and no more",
    "list comprehension": f"values = [{LONG}.one({LONG}) for {LONG} in another_name_of_some_length.everything()]",
    "with a condition": f"values = [{LONG} for {LONG} in another_name_of_some_length if {LONG}.is_wanted]",
    "dictionary": f"values = {{{LONG}: {LONG}.value for {LONG} in another_name_of_some_length.everything()}}",
    "unpacking": f"return {{name: float(value) / {LONG}[name] for name, value in {LONG}.sums.items()}}",
    "unpacking in a call": f"values = dict((name, {LONG}) for name, value in {LONG}.sums.items() if value.wanted)",
    "generator": f"values = tuple({LONG}.one({LONG}) for {LONG} in another_name_of_some_length.everything())",
    "choice as element": f"values = [{LONG} if {LONG} else None for {LONG} in another_name_of_some_length.all()]",
    "call": f"values = function({LONG}, {LONG}, key={LONG}, other={LONG}, and_another_one={LONG})",
    "sum": f"values = {LONG} + {LONG} + {LONG} + {LONG} + {LONG}",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_means_the_same_and_is_formatted(line: str) -> None:
    assert len(line) > 88
    made = tidy(f"{line}\nlast = 0")
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(f"{line}\nlast = 0"))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--stdin-filename", "printed.py", "-"]
    assert subprocess.run(command, input=made, capture_output=True, text=True, check=True).stdout == made
