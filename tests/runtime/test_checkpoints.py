"""Files of other libraries: what is read of them, and that nothing in them is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.runtime.checkpoints import read_tensors

pytestmark = pytest.mark.slow


def refused(source: Any) -> Diagnostic:
    with pytest.raises(SpecError) as error:
        read_tensors(source)
    (found,) = error.value.diagnostics
    assert found.code == "DLS0711"
    return found


# --- PyTorch -------------------------------------------------------------------------------------------


def state() -> dict[str, Any]:
    import torch

    return {
        "weight": torch.arange(6.0).reshape(2, 3),
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        "count": torch.tensor(3),
    }


@pytest.mark.parametrize("wrapped", [None, "state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("old", [False, True])
def test_a_state_dict(wrapped: str | None, old: bool, tmp_path: Path) -> None:
    import torch

    saved = state() if wrapped is None else {wrapped: state(), "epoch": 3}
    torch.save(saved, tmp_path / "w.pt", _use_new_zipfile_serialization=not old)
    found = read_tensors(tmp_path / "w.pt")
    assert {name: tensor.dtype for name, tensor in found.items()} == {
        "weight": "f32",
        "half": "bf16",
        "count": "i64",
    }
    np.testing.assert_array_equal(found["weight"].read(), np.arange(6).reshape(2, 3))
    assert found["half"].read().tolist() == [1.5]


def test_live_tensors() -> None:
    import torch

    layer = torch.nn.Linear(2, 3)
    found = read_tensors({**dict(layer.named_parameters()), "half": torch.ones(1, dtype=torch.bfloat16)})
    np.testing.assert_array_equal(found["weight"].read(), layer.weight.detach().numpy())
    assert found["half"].read().dtype == np.float32


class Hostile:
    """What a pickle can do: write a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("plain", [False, True])
def test_nothing_in_a_pickle_runs(plain: bool, tmp_path: Path) -> None:
    import torch

    touched, path = tmp_path / "touched", tmp_path / "w.pt"
    if plain:
        path.write_bytes(pickle.dumps({"weight": Hostile(touched)}))
    else:
        torch.save({"weight": Hostile(touched)}, path)
    found = refused(path)
    assert not touched.exists()
    assert found.hint is not None
    assert "state_dict" in found.hint


@pytest.mark.parametrize("saved", [[1, 2], {"epoch": 3}, {"state_dict": {"a": 3}}])
def test_no_state_dict(saved: Any, tmp_path: Path) -> None:
    import torch

    torch.save(saved, tmp_path / "w.pth")
    assert "it holds no `state_dict`" in refused(tmp_path / "w.pth").message


def test_damaged(tmp_path: Path) -> None:
    import torch

    torch.save(state(), tmp_path / "w.pt")
    whole = (tmp_path / "w.pt").read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2]):
        (tmp_path / "cut.pt").write_bytes(content)
        refused(tmp_path / "cut.pt")


def test_several_files(tmp_path: Path) -> None:
    import json

    import torch

    torch.save({"a": torch.ones(1)}, tmp_path / "one.bin")
    torch.save({"b": torch.zeros(1)}, tmp_path / "two.bin")
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.bin", "b": "two.bin"}}))
    for source in (index, tmp_path):
        assert [float(t.read()[0]) for t in read_tensors(source).values()] == [1, 0]


# --- Keras ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    keras.utils.clear_session()
    inner = keras.Sequential([keras.layers.Dense(3, name="inside")], name="block")
    inputs = keras.Input((8, 8, 2))
    x = keras.layers.Conv2D(4, 3, name="first", use_bias=False)(inputs)
    x = keras.layers.BatchNormalization(scale=False, name="norm")(x)
    x = keras.layers.DepthwiseConv2D(3, name="each")(x)
    x = keras.layers.BatchNormalization(name="norm2")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = inner(x)
    x = keras.layers.LayerNormalization(name="layer_norm")(x)
    x = keras.layers.Reshape((3, 1))(x)
    return keras.Model(inputs, keras.layers.GRU(5, name="read")(x))


@pytest.mark.parametrize("file", ["m.weights.h5", "m.keras", "m.h5"])
def test_keras_files_have_the_paths_of_variables(model: Any, file: str, tmp_path: Path) -> None:
    """Those of the live model, where a cell in a layer is the layer's own."""
    (model.save_weights if ".weights." in file else model.save)(tmp_path / file)
    found = read_tensors(tmp_path / file)
    wanted = {v.path: np.asarray(v) for v in model.weights if "seed" not in v.path}
    found = {name: tensor for name, tensor in found.items() if "seed" not in name}
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name].read(), array)


def test_variables_without_names_are_numbered(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable("dlspec-tests")
    class Scale(keras.layers.Layer):
        def build(self, shape: Any) -> None:
            self.gain = self.add_weight(shape=(shape[-1],))

        def call(self, x: Any) -> Any:
            return x * self.gain

    inputs = keras.Input((3,))
    model = keras.Model(inputs, Scale(name="two")(Scale(name="one")(inputs)))
    model.save(tmp_path / "m.h5")
    model.save_weights(tmp_path / "m.weights.h5")
    for file in ("m.h5", "m.weights.h5"):
        assert set(read_tensors(tmp_path / file)) == {"one/0", "two/0"}


@pytest.mark.parametrize("name", ["w.h5", "w.keras", "w.weights.h5"])
def test_no_keras_file(name: str, tmp_path: Path) -> None:
    for content in (b"", b"no file of Keras", b"PK\3\4 no archive"):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name)


# --- names ---------------------------------------------------------------------------------------------


def test_files_that_are_not_known(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "w.safetensors").message
    (tmp_path / "w.npz").write_bytes(b"")
    assert "known are .safetensors" in refused(tmp_path / "w.npz").message
    assert "the folder has none of" in refused(tmp_path).message
