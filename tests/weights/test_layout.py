"""Weight layouts are read both ways without a bit lost."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.weights import layout

ROUND_TRIPS = [
    ("o i -> i o", (3, 4), (4, 3)),
    ("o i h w -> h w i o", (8, 3, 5, 7), (5, 7, 3, 8)),
    ("(c m) 1 h w -> h w c m", (6, 1, 5, 7), (5, 7, 3, 2)),
    ("(c m) 1 h w -> h w c m | c=3", (6, 1, 5, 7), (5, 7, 3, 2)),
    ("(g h) i -> i (g h) | g=1,0,2", (6, 4), (4, 6)),
    ("(g h) -> (g h) | g=1,0,2", (6,), (6,)),
    ("c -> 1 1 c", (4,), (1, 1, 4)),
]


@pytest.mark.parametrize(("text", "shape", "native"), ROUND_TRIPS)
def test_round_trip_is_exact(text: str, shape: tuple[int, ...], native: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).standard_normal(shape)
    there = layout.apply(text, array, native)
    assert there.shape == native
    np.testing.assert_array_equal(layout.invert(text, there), array)
    assert layout.parse(str(layout.parse(text))) == layout.parse(text)


def test_meaning() -> None:
    array = np.arange(24).reshape(6, 4)
    np.testing.assert_array_equal(layout.apply("o i -> i o", array), array.T)
    gates = layout.apply("(g h) i -> i (g h) | g=1,0,2", array)  # r, z, n -> z, r, n
    np.testing.assert_array_equal(gates, np.concatenate([array[2:4], array[:2], array[4:]]).T)
    depthwise = np.arange(6 * 9).reshape(6, 1, 3, 3)
    expected = depthwise.reshape(3, 2, 3, 3).transpose(2, 3, 0, 1)
    np.testing.assert_array_equal(layout.apply("(c m) 1 h w -> h w c m | c=3", depthwise), expected)


def test_no_layout_means_as_it_is() -> None:
    array = np.zeros(3)
    assert layout.apply(None, array) is array
    assert layout.invert(None, array) is array


@pytest.mark.parametrize(
    "text",
    ["", "o i", "o i -> i", "o o -> o o", "o i -> i o | o=0,2", "o i -> i o | o=x", "o - i -> i o"],
)
def test_bad_patterns_are_refused(text: str) -> None:
    with pytest.raises(layout.LayoutError):
        layout.parse(text)


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(layout.LayoutError, match="axes"):
        layout.apply("o i -> i o", np.zeros(3))
    with pytest.raises(layout.LayoutError, match="take apart"):
        layout.apply("(g h) -> (g h) | g=1,0,2", np.zeros(4))
