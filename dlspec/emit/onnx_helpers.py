"""What rows of the ONNX manifest know as ``g``: constants, sizes, conversions of the graph that is printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlspec.emit.onnx_dims import Prologue
from dlspec.emit.onnx_text import TYPES, Raw, literal, quote, tensor_literal
from dlspec.emit.onnx_values import Operand
from dlspec.ir.dims import Dim, Symbolic
from dlspec.ir.graph import Value
from dlspec.ir.types import TensorType
from dlspec.ops.dtypes import promote


class Helpers:
    """`prologue` holds lines before all nodes, `lines` those before the node that is being printed."""

    def __init__(self, inputs: Iterable[Value], double: bool) -> None:
        self.prologue = Prologue(inputs)
        self.lines: list[str] = []
        self._f32 = "f64" if double else "f32"
        self._emitted: set[str] = set()

    # Element types.

    def typed(self, kind: TensorType) -> TensorType:
        """The type as it is in this model (in double precision every f32 is an f64)."""
        return kind if kind.dtype != "f32" or self._f32 == "f32" else kind.with_dtype(self._f32)

    def dtype(self, dtype: str) -> str:
        """An element type as it is in this model."""
        return self._f32 if dtype == "f32" else dtype

    def to(self, dtype: str) -> int:
        """An element type's number, for Cast."""
        return TYPES[self.dtype(dtype)][1]

    def common(self, *operands: Operand) -> str:
        """The element type in which operands meet."""
        return promote(*(operand.type for operand in operands))

    def cast(self, x: Operand, dtype: str) -> Operand:
        """`x` in another element type, converted by a node of its own where it differs."""
        wanted = self.dtype(dtype)
        if x.dtype == wanted:
            return x
        return Operand(
            self._line(x, wanted, f"Cast <to = {TYPES[wanted][1]}> ({x.onnx})"), x.type.with_dtype(wanted)
        )

    def casts(self, xs: Sequence[Operand], dtype: str) -> Raw:
        """All of `xs` in one element type."""
        return self.args(*(self.cast(x, dtype) for x in xs))

    # Constants and sizes.

    def constant(self, value: Any, like: Operand | str) -> Raw:
        """A constant (scalar or nested list) with the element type of `like`; nothing for None."""
        if value is None:
            return Raw("")
        return self.prologue.constant(value, self.dtype(like if isinstance(like, str) else like.dtype))

    def value(self, value: Any, dtype: str) -> Raw:
        """A constant tensor as an attribute."""
        return tensor_literal(value, self.dtype(dtype))

    def ints(self, values: Sequence[int] | int) -> Raw:
        """A vector of whole numbers."""
        return self.prologue.ints([values] if isinstance(values, int) else values)

    def shape(self, dims: Sequence[Dim]) -> Raw:
        """A vector of sizes, some of which only the run may know."""
        return self.prologue.shape(dims)

    def scalar(self, dim: Dim) -> Raw:
        """One size as a scalar."""
        return self.prologue.scalar(dim)

    def sizes(self, dims: Sequence[Dim], x: Operand) -> Raw:
        """The target of a Reshape of `x`: 0 for a size that stays, -1 for one that follows."""
        if 0 in dims:
            return self.shape(dims)
        plain = [
            0 if isinstance(d, Symbolic) and i < x.rank and x.shape[i] == d else d for i, d in enumerate(dims)
        ]
        if sum(isinstance(dim, Symbolic) for dim in plain) > 1:
            return self.shape(dims)
        return self.ints([-1 if isinstance(dim, Symbolic) else dim for dim in plain])

    def widths(self, dims: Sequence[Dim], x: Operand) -> Raw:
        """The target of an Expand of `x`: 1 for a size that it has already."""
        new = len(dims) - x.rank
        return self.shape([1 if i >= new and x.shape[i - new] == d else d for i, d in enumerate(dims)])

    # Arguments.

    def args(self, *operands: Any) -> Raw:
        """Operands of a node, of which some may have been left out."""
        texts = ["" if not operand else literal(operand) for operand in operands]
        while texts and not texts[-1]:
            texts.pop()
        return Raw(", ".join(texts))

    def pads(self, pairs: Sequence[tuple[int, int]]) -> list[int]:
        """Pairs of padding as ONNX has them: all before, then all after."""
        return [*(low for low, _ in pairs), *(high for _, high in pairs)]

    def scales(self, factors: Sequence[int]) -> list[float]:
        """The factors of a Resize for all axes."""
        return [1.0, 1.0, *map(float, factors)]

    def direction(self, directions: int) -> str:
        """How a recurrent layer reads."""
        return "bidirectional" if directions == 2 else "forward"

    def gates(self, weights: Mapping[str, Operand], kind: str, order: Sequence[int]) -> Raw:
        """A recurrent weight of one layer with its gates in ONNX's order, directions along a new first axis."""
        own = [w for name, w in weights.items() if name.rpartition("_l")[0] == kind]
        rows = [self._line(w, "gates", f"Unsqueeze ({self._ordered(w, order)}, {self.ints(0)})") for w in own]
        if len(rows) > 1:
            rows = [self._line(own[0], "both", f"Concat <axis = 0> ({', '.join(map(quote, rows))})")]
        return quote(rows[0])

    def _ordered(self, weight: Operand, order: Sequence[int]) -> Raw:
        if len(order) == 1:
            return weight.onnx
        parts = [f"{weight.name}/{gate}" for gate in range(len(order))]
        results = ", ".join(map(quote, parts))
        self._emit(parts[0], f"{results} = Split <axis = 0, num_outputs = {len(order)}> ({weight.onnx})")
        ordered = ", ".join(quote(parts[gate]) for gate in order)
        return quote(self._line(weight, "ordered", f"Concat <axis = 0> ({ordered})"))

    def _line(self, of: Operand, suffix: str, expression: str) -> str:
        """The name of what `expression` makes of `of`."""
        name = f"{of.name}/{suffix}"
        self._emit(name, f"{quote(name)} = {expression}")
        return name

    def _emit(self, name: str, line: str) -> None:
        """A line before those of the row, unless an earlier node has it already."""
        if name not in self._emitted:
            self._emitted.add(name)
            self.lines.append(f"  {line}\n")
