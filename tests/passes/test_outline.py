"""Instances share a class only where it computes the same as each of them."""

from __future__ import annotations

import pytest

import dlspec

SAME = """
block Unit(kernel, stride = 1) {
  input x: [N, C, H, W]
  output x -> Conv2d(4, kernel, stride = stride, padding = "same") -> relu
}
block Pair(kernel, stride = 1) {
  input x: [N, C, H, W]
  output x -> Unit(kernel, stride = stride) -> Unit(kernel)
}
model Net {
  input x: f32[N, 4, 16, 16]
  x = x -> Pair(5) -> Pair([1, 7]) -> Pair(3) -> Unit(3, stride = 2)
  output y = x -> Unit(3) -> Pair(3, stride = 2)
}
"""


@pytest.mark.slow
def test_padding_that_is_written_out_and_differs() -> None:
    """Keras pads by itself: "same" of a 3x3 is another padding than of a 5x5 or 1x7, or with a stride."""
    from dlspec.runtime.verify import verify

    report = verify(dlspec.loads(SAME).program, "Net", backends=["torch", "keras"])
    assert report.ok, report
