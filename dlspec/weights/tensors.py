"""Tensors in files, read one at a time: names, shapes and types are known before any number is.

The safetensors format: eight bytes that say how long the header is, a JSON header with type, shape and place
of each tensor, then the numbers (https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from dlspec.diagnostics import SpecError, fail
from dlspec.ir.types import FLOATS
from dlspec.ops._numpy import np

LONGEST_HEADER = 100_000_000
CODES = {
    "F64": "f64", "F32": "f32", "F16": "f16", "BF16": "bf16", "I64": "i64", "I32": "i32", "I16": "i16", "I8": "i8",
    "U8": "u8", "BOOL": "bool",
}  # fmt: skip
"""Element types as the format calls them. NumPy has all but bf16, whose bits are the upper half of an f32's."""
BYTES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "u8": 1, "bool": 1}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of a file: its shape, element type and how its numbers are read."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], Any]

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS


Tensors = Mapping[str, Tensor]


def from_array(array: Any) -> Tensor:
    """A tensor in memory: anything that NumPy can take, such as a variable of a framework's model."""
    known = np.asarray(array)
    return Tensor(tuple(known.shape), dtype_name(known.dtype), lambda: known)


def dtype_name(dtype: Any) -> str:
    """What dlspec calls a NumPy element type."""
    names = {np.dtype(_numpy_name(name)): name for name in BYTES if name != "bf16"}
    return names.get(np.dtype(dtype), str(dtype))


def _numpy_name(name: str) -> str:
    return "bool" if name == "bool" else f"{name[0]}{BYTES[name]}"


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, mapped into memory; raises `SpecError` (DLS0711)."""
    try:
        with Path(path).open("rb") as file:
            header, start = _header(file)
        data = (
            np.memmap(path, np.uint8, "r", start)
            if any(map(_size, header.values()))
            else np.empty(0, np.uint8)
        )
        return {name: _mapped(data, about) for name, about in header.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable(path, error) from None


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    size = int.from_bytes(file.read(8), "little")
    if not 2 <= size <= LONGEST_HEADER:
        raise ValueError("it does not begin as a safetensors file does")
    text = file.read(size)
    if len(text) < size:
        raise ValueError("it is cut short")
    header = json.loads(text)
    header.pop("__metadata__", None)
    return header, 8 + size


def _size(about: dict[str, Any]) -> int:
    begin, end = about["data_offsets"]
    return int(end) - int(begin)


def _mapped(data: Any, about: dict[str, Any]) -> Tensor:
    if about["dtype"] not in CODES:
        raise ValueError(f"its element type {about['dtype']} is not known")
    dtype, shape = CODES[about["dtype"]], tuple(map(int, about["shape"]))
    begin, end = about["data_offsets"]
    if not 0 <= begin <= end <= len(data) or end - begin != prod(shape) * BYTES[dtype]:
        raise ValueError("it is cut short, or its header is wrong")
    return Tensor(shape, dtype, lambda: _numbers(data[begin:end], dtype).reshape(shape))


def _numbers(raw: Any, dtype: str) -> Any:
    if dtype != "bf16":
        return raw.view(np.dtype(_numpy_name(dtype)))
    return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


def write_safetensors(path: str | Path, tensors: Tensors, metadata: Mapping[str, str]) -> None:
    """Write tensors one after the other: no more than one of them is in memory at a time."""
    codes = {name: code for code, name in CODES.items()}
    order = sorted(tensors, key=lambda name: (-BYTES[tensors[name].dtype], name))  # every tensor is aligned
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    place = 0
    for name in order:
        tensor = tensors[name]
        end = place + prod(tensor.shape) * BYTES[tensor.dtype]
        header[name] = {
            "dtype": codes[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with Path(path).open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = np.asarray(tensors[name].read(), order="C")
            file.write(array.reshape(-1).view(np.uint8).data)


def read_index(path: Path, read: Callable[[Path], Tensors]) -> dict[str, Tensor]:
    """The tensors of an index, a JSON file whose ``weight_map`` says which file has which tensor."""
    try:
        places: dict[str, str] = json.loads(path.read_text("utf-8"))["weight_map"]
        files = sorted(set(places.values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, error) from None
    if outside := [name for name in files if Path(name).name != name]:
        raise fail("DLS0711", f"cannot read weights from `{path}`: `{outside[0]}` is not beside it")
    shards = {name: read(path.with_name(name)) for name in files}
    missing = [name for name, file in places.items() if name not in shards[file]]
    if missing:
        shard = places[missing[0]]
        raise fail("DLS0711", f"cannot read weights from `{path}`: `{shard}` has no tensor `{missing[0]}`")
    return {name: shards[file][name] for name, file in places.items()}


def unreadable(path: str | Path, error: Exception | str, hint: str | None = None) -> SpecError:
    """The error for a file of weights that cannot be read."""
    return fail("DLS0711", f"cannot read weights from `{path}`: {_reason(error)}", hint=hint)


def _reason(error: Exception | str) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, (str, ValueError)) else "it is damaged, or of another kind"


def plain_names(
    names: Iterable[str], prefixes: Iterable[str], endings: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Names without those of `prefixes`, in their order, that they begin with, and with other `endings`; each with
    what it is in the file.

    >>> plain_names(["module.bert.a", "module.b.gamma"], ("module.", "bert."), {".gamma": ".weight"})
    {'a': 'module.bert.a', 'b.weight': 'module.b.gamma'}
    """
    found: dict[str, str] = {}
    for name in names:
        short = name
        for prefix in prefixes:
            short = short.removeprefix(prefix)
        for old, new in (endings or {}).items():
            if short.endswith(old):
                short = short.removesuffix(old) + new
        found.setdefault(short, name)
    return found
