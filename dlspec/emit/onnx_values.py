"""Values as rows of the ONNX manifest see them."""

from __future__ import annotations

from typing import Any

from dlspec.emit.onnx_text import Raw, quote
from dlspec.ir.dims import Dim
from dlspec.ir.types import TensorType


class Operand:
    """A value in a row: prints as its name; its type can be asked for."""

    __slots__ = ("name", "onnx", "type")

    def __init__(self, name: str, type: TensorType) -> None:
        self.name, self.onnx, self.type = name, quote(name), type

    @property
    def dtype(self) -> str:
        return self.type.dtype

    @property
    def rank(self) -> int:
        return self.type.rank

    @property
    def shape(self) -> tuple[Dim, ...]:
        return self.type.shape


class Temporaries:
    """Names derived from a result's name: ``t.flat`` is ``"h/flat"``."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Raw:
        return quote(f"{self._name}/{name}")

    def __getitem__(self, name: Any) -> Raw:
        return quote(f"{self._name}/{name}")
