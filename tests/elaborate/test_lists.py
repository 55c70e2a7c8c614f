"""Lists at compile time: comprehensions, zip and enumerate, indexing by a list; and the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec.diagnostics import SpecError
from dlspec.ir.graph import Graph


def model(body: str, head: str = "") -> Graph:
    return dlspec.loads(f"{head}\nmodel Net {{\n  input x: f32[N, 8]\n{body}\n}}").program.model("Net")


def code(body: str, head: str = "") -> str:
    with pytest.raises(SpecError) as caught:
        model(body, head)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


def shape(graph: Graph) -> str:
    return str(graph.output_types()[0])


def test_a_comprehension_of_numbers_and_of_tensors() -> None:
    graph = model(
        "  parts = [x -> Linear(n) for n in widths if n > 1]\n  output y = concat(parts, axis = 1)",
        "let widths = [2 * i for i in 0..4]",
    )
    assert [w.name for w in graph.weights if w.name.endswith("weight")] == [
        "linear1.weight", "linear2.weight", "linear3.weight"
    ]  # fmt: skip
    assert shape(graph) == "f32[N, 12]"


def test_the_names_of_a_comprehension_are_its_own() -> None:
    graph = model("  n = 3\n  twice = [2 * n for n in [5, 6]]\n  output y = x -> Linear(n + twice[0])")
    assert shape(graph) == "f32[N, 13]"
    assert code("  twice = [n for n in 0..2]\n  output y = x -> Linear(n)") == "DLS0201"


def test_several_names_take_items_apart() -> None:
    graph = model("  output y = x -> Linear(sum([a * b for a, b in zip([1, 2], [3, 4])]))")
    assert shape(graph) == "f32[N, 11]"
    assert code("  wrong = [a for a, b in [1, 2]]\n  output y = x") == "DLS0413"
    assert code("  wrong = [a for a in x]\n  output y = x") == "DLS0415"


def test_zip_and_enumerate_take_tensors() -> None:
    graph = model(
        "  parts = [x -> Linear(2), x -> Linear(2)]\n"
        "  for i, part in enumerate(parts) { x = x -> Linear(i + 3) }\n"
        "  for a, b in zip(parts, [1, 2]) { x = x + sum(a) * b }\n"
        "  output y = x -> Linear(len(parts))"
    )
    assert shape(graph) == "f32[N, 2]"
    assert code("  for a, b in zip([1], [1, 2]) { x = x -> relu }\n  output y = x") == "DLS0210"


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("[:, [0, 2, -1]]", "f32[N, 3]"),
        ("[:, 0..4]", "f32[N, 4]"),
        ("[..., [i for i in 0..8 if i % 2 == 0]]", "f32[N, 4]"),
        ("[:, none, [1]]", "f32[N, 1, 1]"),
    ],
)
def test_a_list_picks_places(index: str, expected: str) -> None:
    assert shape(model(f"  output y = x{index}")) == expected


@pytest.mark.parametrize("index", ["[:, [0, 8]]", "[[0, 1]]"])
def test_a_list_must_lie_inside_a_known_axis(index: str) -> None:
    assert code(f"  output y = x{index}") == "DLS0319"


def test_one_list_an_index() -> None:
    assert code("  y = x -> unsqueeze(axis = 2)\n  output z = y[:, [0], [0]]") == "DLS0214"


def test_the_standard_library(tmp_path: Path) -> None:
    spec = tmp_path / "net.dls"
    spec.write_text(
        'import { squash } from "std/capsules"\nmodel Net { input x: f32[N, 8]  output y = x -> squash }'
    )
    assert dlspec.load(spec).model().summary().parameters == 0
    spec.write_text('import "std/capsule"\nmodel Net { input x: f32[N, 8]  output y = x -> squash }')
    with pytest.raises(SpecError) as caught:
        dlspec.load(spec)
    assert caught.value.diagnostics[0].hint == 'did you mean "std/capsules"?'
