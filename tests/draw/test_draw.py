"""Drawings: every model of the zoo can be drawn, and nothing in a picture lies on anything else."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

import pytest

import dlspec
from dlspec.draw import draw
from dlspec.draw.layout import Layout, layout
from dlspec.draw.panel import Box, Panel
from dlspec.draw.panels import panels
from dlspec.draw.series import Parallel, structure
from dlspec.zoo import entries


def panel(count: int, *edges: tuple[int, int], **kinds: int) -> Panel:
    """A panel of layers; `kinds` gives some boxes another kind."""
    boxes = [Box(f"Layer{i}", kind="dense") for i in range(count)]
    for kind, index in kinds.items():
        boxes[index].kind = kind
    return Panel("Test", boxes, list(edges))


def test_chain() -> None:
    assert structure(panel(3, (0, 1), (1, 2))).chain == [0, 1, 2]


def test_branches_and_skip() -> None:
    """0 parts into 1 and into 2 and 3, which meet in 4; 0 also goes to 4 directly."""
    (first, both, last) = structure(panel(5, (0, 1), (0, 2), (2, 3), (1, 4), (3, 4), (0, 4))).chain
    assert (first, last) == (0, 4)
    assert isinstance(both, Parallel)
    assert sorted(both.branches) == [[], [1], [2, 3]]


def test_lines_that_do_not_fit_are_set_aside() -> None:
    """The bridge: 0-1-3, 0-2-3, and 1-2 across."""
    found = structure(panel(4, (0, 1), (0, 2), (1, 2), (1, 3), (2, 3)))
    assert len(found.extra) == 1


def test_weights_stand_beside_what_they_are_added_to() -> None:
    assert structure(panel(3, (0, 2), (1, 2), input=0, table=1)).before == {2: [1]}


def test_equal_layers_are_a_stack() -> None:
    program = dlspec.loads("""
    model Net { input x: f32[N, 8]  for i in 0..5 { x = x -> Linear(8) -> relu }  output y = x }
    """).program
    (made,) = panels(program, "Net")
    assert [(box.title, box.details, box.repeat) for box in made.boxes] == [
        ("x", [], 1),
        ("Linear", ["relu"], 5),
        ("y", [], 1),
    ]


def test_blocks_have_panels_and_single_uses_do_not() -> None:
    program = dlspec.loads("""
    block Twice(width) { input x  output x -> Linear(width) -> relu }
    block Once { input x  output x -> Linear(3) }
    model Net { input x: f32[N, 8]  output y = x -> Twice(4) -> Twice(5) -> Once }
    """).program
    assert [each.title for each in panels(program, "Net")] == ["Net", "Twice(width)"]


def overlapping(each: Layout) -> list[tuple[str, str]]:
    return [
        (a.box.title, b.box.title)
        for a, b in combinations(each.boxes, 2)
        if a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height
    ]


@pytest.mark.parametrize("entry", entries(), ids=str)
def test_zoo(entry: object) -> None:
    program = dlspec.load(entry.path).program  # type: ignore[attr-defined]
    model = entry.model  # type: ignore[attr-defined]
    for each in panels(program, model):
        made = layout(each)
        assert not overlapping(made)
        assert all(p.x >= 0 and p.x + p.width <= made.width + 0.1 for p in made.boxes)
        assert all(p.y >= 0 and p.y + p.height <= made.height + 0.1 for p in made.boxes)
    ElementTree.fromstring(draw(program, model))
