"""The words of ONNX's textual syntax: names, types, numbers and strings that cannot leave their place."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlspec.ir.types import TensorType

# Element type: its name in the text, and its number (`TensorProto.DataType`).
TYPES: dict[str, tuple[str, int]] = {
    "f32": ("float", 1), "u8": ("uint8", 2), "i8": ("int8", 3), "i32": ("int32", 6), "i64": ("int64", 7),
    "bool": ("bool", 9), "f16": ("float16", 10), "f64": ("double", 11), "bf16": ("bfloat16", 16),
}  # fmt: skip
SIZES = {"f32": 4, "u8": 1, "i8": 1, "i32": 4, "i64": 8, "bool": 1, "f16": 2, "f64": 8, "bf16": 2}


class Raw(str):
    """Text that is ONNX already."""

    __slots__ = ()


def quote(text: str) -> Raw:
    """A string, or a name, between quotes. The parser cannot take a NUL; it becomes U+FFFD."""
    clean = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
    return Raw(f'"{escaped}"')


def literal(value: Any) -> str:
    """A value as it stands in an attribute: strings are quoted, truth values are 0 and 1."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, (bool, int)):
        return str(int(value))
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(literal, value))}]"
    if hasattr(value, "onnx"):
        return str(value.onnx)
    raise TypeError(f"{value!r} cannot be written in ONNX")


def number(value: float) -> str:
    """A floating-point number, never mistaken for an integer."""
    return repr(float(value))  # inf, -inf and nan are words of the syntax


def tensor_literal(value: Any, dtype: str) -> Raw:
    """A constant tensor: nested lists of numbers."""
    shape, flat = _flatten(value)
    dims = f"[{','.join(map(str, shape))}]" if shape else ""
    return Raw(f"{TYPES[dtype][0]}{dims} {{{', '.join(_element(v, dtype) for v in flat)}}}")


def type_text(kind: TensorType) -> str:
    """A tensor type; sizes that are expressions are symbols of that text."""
    name = TYPES[kind.dtype][0]
    dims = ",".join(str(d) if isinstance(d, int) else symbol(str(d)) for d in kind.shape)
    return f"{name}[{dims}]" if kind.shape else name


def symbol(text: str) -> str:
    """A symbolic size."""
    return text if text.isascii() and text.isidentifier() else quote(text)


def properties(values: Mapping[str, Any]) -> str:
    """``["key": "value"]``."""
    return f"[{', '.join(f'{quote(k)}: {quote(str(v))}' for k, v in values.items())}]"


def _element(value: Any, dtype: str) -> str:
    if dtype in ("f32", "f64"):
        return number(value)
    if dtype == "f16":  # halves are written as their bits
        return str(struct.unpack("<H", struct.pack("<e", value))[0])
    if dtype == "bf16":
        return str(_bf16_bits(float(value)))
    return str(int(value))


def _bf16_bits(value: float) -> int:
    """The upper half of an f32, rounded to even."""
    bits = int(struct.unpack("<I", struct.pack("<f", value))[0])
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 if value == value else 0x7FC0


def _flatten(value: Any) -> tuple[tuple[int, ...], Iterable[Any]]:
    if not isinstance(value, (list, tuple)):
        return (), [value]
    inner = [_flatten(v) for v in value]
    shape = inner[0][0] if inner else ()
    return (len(value), *shape), [v for _, flat in inner for v in flat]
