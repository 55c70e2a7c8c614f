"""Safetensors read a tensor at a time, and written so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from dlspec.diagnostics import SpecError
from dlspec.weights.tensors import (
    Tensor,
    from_array,
    read_index,
    read_safetensors,
    write_safetensors,
)

ARRAYS: dict[str, Any] = {
    "whole": np.arange(6, dtype=np.float32).reshape(2, 3),
    "half": np.array([1.5, -2], dtype=np.float16),
    "double": np.array([0.1]),
    "long": np.array(7),
    "flags": np.array([True, False, True]),
    "empty": np.empty((0, 3), dtype=np.float32),
}


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "w.safetensors", metadata={"format": "np"})
    found = read_safetensors(tmp_path / "w.safetensors")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, from_array(array).dtype)
        np.testing.assert_array_equal(found[name].read(), array)


def test_what_is_written_the_library_reads(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "w.safetensors", {n: from_array(a) for n, a in ARRAYS.items()}, {"a": "b"})
    found = load_file(tmp_path / "w.safetensors")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_tensors_are_made_one_at_a_time(tmp_path: Path) -> None:
    """Each when it is written: the one before it is no longer held."""
    alive: list[int] = []

    class Watched(np.ndarray):
        def __del__(self) -> None:
            alive.pop()

    def read() -> Any:
        assert not alive
        alive.append(1)
        return np.zeros(4, np.float32).view(Watched)

    write_safetensors(tmp_path / "w.safetensors", {f"t{i}": Tensor((4,), "f32", read) for i in range(3)}, {})
    assert len(load_file(tmp_path / "w.safetensors")) == 3


def test_bf16_is_widened(tmp_path: Path) -> None:
    values = np.array([1, -2.5, 3e38, 2**-130], dtype=np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    header = json.dumps({"x": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes())
    tensor = read_safetensors(path)["x"]
    assert (tensor.dtype, tensor.is_float) == ("bf16", True)
    np.testing.assert_array_equal(
        tensor.read(), (bits.astype(np.uint32) << 16).view(np.float32).reshape(2, 2)
    )


@pytest.mark.parametrize(
    "about",
    [
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 20]},  # beyond the end
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 12]},  # not four numbers
        {"dtype": "F32", "shape": [4], "data_offsets": [-4, 12]},
        {"dtype": "C64", "shape": [2], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4]},
        {"dtype": "F32", "shape": 4, "data_offsets": [0, 16]},
        [],
    ],
)
def test_a_damaged_header(about: Any, tmp_path: Path) -> None:
    header = json.dumps({"x": about}).encode()
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(16))
    with pytest.raises(SpecError) as error:
        read_safetensors(path)
    assert error.value.diagnostics[0].code == "DLS0711"


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{}", b"\xff" * 16, b"\2\0\0\0\0\0\0\0[]"])
def test_no_safetensors(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(SpecError) as error:
        read_safetensors(path)
    assert error.value.diagnostics[0].code == "DLS0711"


# --- several files -------------------------------------------------------------------------------------


def write_index(folder: Path, places: Any) -> Path:
    save_file({"a": np.ones(1)}, folder / "one.safetensors")
    save_file({"b": np.zeros(1)}, folder / "two.safetensors")
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return path


def test_an_index_reads_each_file_once(tmp_path: Path) -> None:
    read: list[str] = []

    def counted(path: Path) -> Any:
        read.append(path.name)
        return read_safetensors(path)

    path = write_index(tmp_path, {"a": "one.safetensors", "b": "two.safetensors"})
    found = read_index(path, counted)
    assert {name: float(tensor.read()[0]) for name, tensor in found.items()} == {"a": 1, "b": 0}
    assert read == ["one.safetensors", "two.safetensors"]


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({"a": "three.safetensors"}, "No such file"),
        ({"c": "one.safetensors"}, "`one.safetensors` has no tensor `c`"),
        ({"a": "../one.safetensors"}, "is not beside it"),
        ([], "damaged"),
        (None, "damaged"),
    ],
)
def test_a_wrong_index(places: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message) as error:
        read_index(write_index(tmp_path, places), read_safetensors)
    assert error.value.diagnostics[0].code == "DLS0711"
