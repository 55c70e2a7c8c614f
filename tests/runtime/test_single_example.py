"""A batch of one example, of which `BatchNorm` knows no variance, is told before training starts."""

from __future__ import annotations

import pytest

from dlspec.api import loads
from dlspec.diagnostics import SpecError
from dlspec.runtime.data_check import check_batch

SPEC = """
model Net {
  input x: f32[N, 3, 4, 4]
  seen = x -> BatchNorm
  output logits = LAYERS -> Linear(2)
}
data D {
  source  = npz("rows.npz")
  columns = { x: f32[3, 4, 4], y: i64 }
  split   = { train: 0.8, test: 0.2 }
  LAST
}
train Net on D {
  loss       = cross_entropy(logits, y)
  optimizer  = Adam(lr = 1e-3)
  batch_size = SIZE
  FREEZE
}
"""
FLAT = "seen -> flatten -> Linear(5) -> BatchNorm"
WORN = "reshape(mean(seen, axis = [2, 3]), [N, 3, 1, 1]) -> BatchNorm -> flatten"
PATHS = "reshape(seen, [N * 3, 16]) -> BatchNorm -> reshape([N, 48])"


@pytest.mark.parametrize(
    ("layers", "size", "last", "freeze", "told"),
    [
        (FLAT, 9, "", "", True),
        (FLAT, 1, "", "", True),
        (WORN, 9, "", "", True),
        (FLAT, 8, "", "", False),
        (FLAT, 9, "last_batch = drop", "", False),
        (FLAT, 9, "last_batch = fill", "", False),
        (FLAT, 9, "", "freeze = [norm2]", False),
        ("seen -> flatten", 9, "", "", False),
        (PATHS, 9, "", "", False),
    ],
)
def test_one_example(layers: str, size: int, last: str, freeze: str, told: bool) -> None:
    words = {"LAYERS": layers, "SIZE": str(size), "LAST": last, "FREEZE": freeze}
    text = SPEC
    for word, value in words.items():
        text = text.replace(word, value)
    program = loads(text).program
    sizes = {"train": 64, "test": 16}
    if not told:
        return check_batch(program, program.trainings["Net"], sizes)
    with pytest.raises(SpecError) as caught:
        check_batch(program, program.trainings["Net"], sizes)
    found = caught.value.diagnostics[0]
    assert found.code == "DLS0704"
    assert ":5:" in found.message
    assert "`last_batch = drop`" in (found.hint or "")
