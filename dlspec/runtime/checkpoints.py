"""Weights in the files of others, read lazily: safetensors, PyTorch's checkpoints, Keras's HDF5.

Nothing that a file contains is run: PyTorch's files are opened with ``weights_only``, which loads tensors and
plain containers and refuses everything else.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.weights.tensors import (
    Tensor,
    Tensors,
    dtype_name,
    from_array,
    read_index,
    read_safetensors,
    unreadable,
)

TORCH = (".pt", ".pth", ".bin", ".ckpt")
KERAS = (".h5", ".hdf5", ".keras")
IN_FOLDERS = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)
"""What Hugging Face calls the file of weights in a model's folder."""
WRAPPED_IN = ("state_dict", "model_state_dict", "model")
"""Where training programs put the weights beside the rest of their state."""


def read_tensors(source: str | Path | Mapping[str, Any]) -> Tensors:
    """The tensors of a file, a folder, or of a dictionary of arrays. Raises `SpecError` (DLS0711)."""
    if isinstance(source, Mapping):
        return {name: a if isinstance(a, Tensor) else from_array(_plain(a)) for name, a in source.items()}
    path = Path(source)
    if path.is_dir():
        names = [name for name in IN_FOLDERS if (path / name).is_file()]
        if not names:
            raise unreadable(path, f"the folder has none of {', '.join(IN_FOLDERS)}")
        path /= names[0]
    return _read(path)


def _read(path: Path) -> Tensors:
    if not path.is_file():
        raise unreadable(path, "there is no such file")
    if path.name.endswith(".index.json"):
        return read_index(path, _read)
    for suffixes, read in READERS.items():
        if path.suffix in suffixes:
            return read(path)
    known = ", ".join(suffix for suffixes in READERS for suffix in suffixes)
    raise unreadable(path, f"the kind of the file is not known by its ending; known are {known}, .index.json")


def _plain(array: Any) -> Any:
    """What NumPy can take of a tensor: of PyTorch's on the CPU, bf16 as f32."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
        return (array.float() if str(array.dtype) == "torch.bfloat16" else array).numpy()
    return array


# --- PyTorch -------------------------------------------------------------------------------------------


def _read_torch(path: Path) -> Tensors:
    """A `state_dict`, alone or in a checkpoint of a known form."""
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except Exception as error:  # whatever a damaged or hostile file makes PyTorch raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        hint = "only tensors are loaded from it, nothing that runs: save `model.state_dict()`, or safetensors"
        raise unreadable(path, lines[0], hint) from None
    for name in WRAPPED_IN:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise unreadable(path, "it holds no `state_dict`: names and their tensors")
    return {str(name): _torch_tensor(value) for name, value in found.items()}


def _torch_tensor(tensor: Any) -> Tensor:
    name = str(tensor.dtype).removeprefix("torch.")
    short = {"bfloat16": "bf16", "bool": "bool"}.get(name, name)
    dtype = short if short in ("bf16", "bool") else _short(name)
    return Tensor(tuple(tensor.shape), dtype, lambda: _plain(tensor))


def _short(name: str) -> str:
    """`f32` for ``float32``; a type that NumPy does not have keeps its name."""
    try:
        return dtype_name(np.dtype(name))
    except TypeError:
        return name


def _is_zip(path: Path) -> bool:
    return zipfile.is_zipfile(path)


# --- Keras ---------------------------------------------------------------------------------------------

# What a layer's variables are called, in the order in which Keras 3 numbers them, by the snake case of its
# class. Where there are two rows, the number of variables tells them apart.
VARIABLES = {
    "batch_normalization": (("gamma", "beta", "moving_mean", "moving_variance"),
                            ("beta", "moving_mean", "moving_variance")),
    "layer_normalization": (("gamma", "beta"),),
    "group_normalization": (("gamma", "beta"),),
    "rms_normalization": (("scale",),),
    "embedding": (("embeddings",),),
    "normalization": (("mean", "variance", "count"),),
}  # fmt: skip
LAYERS = ("conv", "depthwise", "separable", "dense", "einsum_dense")
LAYER = ("kernel", "bias")
CELL = ("kernel", "recurrent_kernel", "bias")
UNNAMED = re.compile(r"variable(_\d+)?")
"""What Keras calls a variable that has no name of its own; here it is its number in its layer."""


def _read_keras(path: Path) -> Tensors:
    """Keras weights by layer and variable, ``conv1/kernel``: of Keras 3's files, and of the older HDF5 form."""
    import h5py

    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                file = h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")
        else:
            file = h5py.File(path, "r")
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise unreadable(path, error) from None
    root = file.get("model_weights", file)
    return _older(root) if "layer_names" in root.attrs else _numbered(root)


def _dataset(data: Any) -> Tensor:
    return Tensor(tuple(data.shape), dtype_name(data.dtype), lambda: data[()])


def _older(root: Any) -> Tensors:
    """A group a layer, which lists the paths of its variables."""
    found = {}
    for layer in root.attrs["layer_names"]:
        group = root[_text(layer)]
        for number, name in enumerate(map(_text, group.attrs["weight_names"])):
            owner, _, variable = name.removesuffix(":0").rpartition("/")
            plain = str(number) if UNNAMED.fullmatch(variable) else variable
            found[f"{owner}/{plain}"] = _dataset(group[name])
    return found


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _numbered(root: Any) -> Tensors:
    """Keras 3: groups for objects in objects; a group ``vars`` has a layer's name and numbered variables."""
    found: dict[str, Tensor] = {}
    _collect(root, "", (), found)
    return found


def _collect(group: Any, kind: str, path: tuple[str, ...], found: dict[str, Tensor]) -> None:
    variables = group.get("vars")
    if variables is not None and path:
        path = (*path[:-1], _text(variables.attrs.get("name", path[-1])))
    if variables is not None and len(variables):
        for number, name in enumerate(_variables(kind, len(variables))):
            found["/".join((*path, name))] = _dataset(variables[str(number)])
    for name, inner in group.items():
        if name == "vars":
            continue
        container = name in ("layers", "_layer_checkpoint_dependencies")
        _collect(inner, _kind(name), path if container else (*path, name), found)


def _kind(name: str) -> str:
    """The class of a layer by the name of its group: ``conv2d_12`` is the thirteenth ``conv2d``."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdecimal() else name


def _variables(kind: str, count: int) -> list[str]:
    """The names of a layer's variables, in their order; a number for each that is not known."""
    known = VARIABLES.get(kind, ((),))
    if kind.endswith("cell"):
        known = (CELL,)
    elif kind.startswith(LAYERS):
        known = (LAYER,)
    names = next((names for names in known if len(names) == count), max(known, key=len))
    return [names[i] if i < len(names) else str(i) for i in range(count)]


READERS: dict[tuple[str, ...], Callable[[Path], Tensors]] = {
    (".safetensors",): read_safetensors,
    TORCH: _read_torch,
    KERAS: _read_keras,
}
"""How files are read, by what their names end in."""
