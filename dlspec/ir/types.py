"""Tensor types: an element type and a shape, known before any framework is imported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from dlspec.ir.dims import Dim, parse_dim, product

DType = Literal["f32", "f64", "f16", "bf16", "i64", "i32", "i8", "u8", "bool"]
DTYPES: tuple[str, ...] = get_args(DType)
FLOATS = frozenset({"f16", "bf16", "f32", "f64"})
INTEGERS = frozenset({"u8", "i8", "i32", "i64"})
# The order in which operands are promoted when two element types meet.
PROMOTION = ("bool", "u8", "i8", "i32", "i64", "f16", "bf16", "f32", "f64")

Shape = tuple[Dim, ...]


class TensorType(BaseModel):
    """The element type and shape of a tensor, such as ``f32[N, 1, 8, 8]``."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    dtype: DType = "f32"
    shape: Shape = ()

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    @property
    def size(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    def with_shape(self, shape: Sequence[Dim]) -> TensorType:
        return tensor(self.dtype, shape)

    def with_dtype(self, dtype: str) -> TensorType:
        return tensor(dtype, self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


def tensor(dtype: str, shape: Sequence[Dim] = ()) -> TensorType:
    """A `TensorType` built without validation, for the compiler's own use."""
    return TensorType.model_construct(dtype=dtype, shape=tuple(shape))


def parse_type(text: str) -> TensorType:
    """The type written as `text`, such as ``"f32[N, 3, 8, 8]"``; raises ValueError otherwise."""
    dtype, bracket, rest = text.partition("[")
    if dtype not in DTYPES or (bracket and not rest.endswith("]")):
        raise ValueError(f"not a tensor type: {text!r}")
    inner = rest[:-1].strip() if bracket else ""
    return tensor(dtype, [parse_dim(part.strip()) for part in inner.split(",")] if inner else ())
