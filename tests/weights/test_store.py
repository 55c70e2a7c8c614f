"""Weights on disk, and what does not fit a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.diagnostics import SpecError
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import (
    check_weights,
    load_metadata,
    load_weights,
    metadata,
    own_weights,
    replacing,
    save_weights,
)


def program() -> Program:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    b.output("y", b.Linear(3, name="b")(b.Linear(4, name="a")(x)))
    return Program(graphs={"Net": b.build()}, models={"Net": "Net"})


def test_round_trip(tmp_path: Path) -> None:
    weights = draw_weights(program(), "Net", 1)
    weights["scalar"] = np.float32(2.5).reshape(())
    weights["turned"] = np.arange(6, dtype=np.float32).reshape(2, 3).T  # not in C order
    save_weights(tmp_path / "w.safetensors", weights, metadata("Net", 1, "model Net {}"))
    loaded = load_weights(tmp_path / "w.safetensors")
    assert set(loaded) == set(weights)
    for name, array in weights.items():
        assert loaded[name].shape == array.shape
        np.testing.assert_array_equal(loaded[name], array)
    about = load_metadata(tmp_path / "w.safetensors")
    assert about == metadata("Net", 1, "model Net {}")
    assert about["model"] == "Net"
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("about", [None, {}, {"model": "Net"}])
def test_a_model_without_weights(tmp_path: Path, about: dict[str, str] | None) -> None:
    save_weights(tmp_path / "w.safetensors", {}, about)
    assert load_weights(tmp_path / "w.safetensors") == {}


def test_a_failed_write_leaves_what_was(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_text("before")

    def fails() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


@pytest.mark.parametrize("content", [None, b"", b"no safetensors", b"\x10\0\0\0\0\0\0\0{}"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    for read in (load_weights, load_metadata):
        with pytest.raises(SpecError) as error:
            read(path)
        assert error.value.diagnostics[0].code == "DLS0711"


def test_what_fits_passes() -> None:
    check_weights(program(), "Net", draw_weights(program(), "Net", 0))


def test_everything_wrong_is_told_at_once() -> None:
    weights = draw_weights(program(), "Net", 0)
    del weights["a.weight"]
    weights["c.weight"] = weights["b.weight"]
    weights["b.bias"] = np.zeros(5, dtype=np.float32)
    with pytest.raises(SpecError) as error:
        check_weights(program(), "Net", weights)
    messages = [d.message for d in error.value.diagnostics]
    assert messages == [
        "weights are missing for `Net`: `a.weight`",
        "there are weights that do not belong to `Net`: `c.weight`",
        "weights have another shape in `Net`: `b.bias` is [5], not [3]",
    ]
    assert {d.code for d in error.value.diagnostics} == {"DLS0710"}


def test_long_lists_are_cut() -> None:
    with pytest.raises(SpecError, match=r"and 12 more"):
        check_weights(
            program(),
            "Net",
            {**draw_weights(program(), "Net", 0), **{f"x{i}": np.zeros(1) for i in range(20)}},
        )


PLAYERS = """
model Maker { input z: f32[N, 2]  output image = z -> Linear(4) }
model Judge { input image: f32[N, 4]  output real = image -> Linear(1) }
data D { source = npz("rows.npz")  columns = { image: f32[4] } }
train Game on D {
  models = { M: Maker, J: Judge, K: Judge }
  step judge updates J, K with SGD(lr = 0.1) { minimize mean(J(image)) + mean(K(M(normal([N, 2])))) }
}
"""


def test_the_weights_of_one_of_several_models() -> None:
    """Those that a training of several wrote, without its name there; not where it is there twice."""
    program = dlspec.loads(PLAYERS).program
    maker, judge = draw_weights(program, "Maker"), draw_weights(program, "Judge")
    written = {f"M.{name}": array for name, array in maker.items()}
    written |= {f"{each}.{name}": array for each in "JK" for name, array in judge.items()}
    assert own_weights(program, "Maker", maker) is maker
    found = own_weights(program, "Maker", written)
    assert found.keys() == maker.keys()
    assert all(found[name] is array for name, array in maker.items())
    with pytest.raises(SpecError, match="weights of several `Judge`: J, K"):
        own_weights(program, "Judge", written)
    with pytest.raises(SpecError, match="weights are missing for `Maker`"):
        own_weights(program, "Maker", {"M.linear.weight": maker["linear.weight"]})
