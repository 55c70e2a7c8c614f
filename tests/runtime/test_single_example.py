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


def test_of_a_model_with_a_name() -> None:
    """Paths of what is frozen begin in the model, where a training has one, whatever it is called."""
    step = "models = { net: Net }  step learn updates net with SGD(lr = 0.1) { minimize cross_entropy(net(x), y) }"
    head, _, _ = SPEC.replace("LAYERS", FLAT).replace("LAST", "").partition("train Net on D")
    sizes = {"train": 10, "test": 10}
    for freeze, told in (("", True), ("freeze = [norm2]", False)):
        text = f"{head}train Both on D {{ {step}  batch_size = 9  {freeze} }}"
        program = loads(text).program
        if told:
            with pytest.raises(SpecError, match="knows no variance"):
                check_batch(program, program.trainings["Both"], sizes)
        else:
            check_batch(program, program.trainings["Both"], sizes)
