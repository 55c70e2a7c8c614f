"""Symbolic sizes while an ONNX model runs: read from the inputs, computed once, shared by all nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlspec.diagnostics import fail
from dlspec.emit.onnx_text import Raw, quote, tensor_literal
from dlspec.ir.dims import Dim, Division, Symbolic, symbol
from dlspec.ir.graph import Value


class Prologue:
    """Lines before the nodes: constants and sizes, each made when first asked for."""

    def __init__(self, inputs: Iterable[Value]) -> None:
        self.lines: list[str] = []
        self._made: dict[str, Raw] = {}
        self._places: dict[str, tuple[str, int]] = {}
        for value in inputs:
            for axis, dim in enumerate(value.type.shape):
                if isinstance(dim, Symbolic):
                    self._places.setdefault(str(dim), (value.name, axis))

    def constant(self, value: object, dtype: str) -> Raw:
        """A constant tensor of a scalar or a list."""
        return self._make(f"const/{dtype}/{value}", f"Constant <value = {tensor_literal(value, dtype)}> ()")

    def ints(self, values: Sequence[int]) -> Raw:
        """A vector of i64."""
        return self._make(
            f"ints/{','.join(map(str, values))}", f"Constant <value = {tensor_literal([*values], 'i64')}> ()"
        )

    def shape(self, dims: Sequence[Dim]) -> Raw:
        """A vector of i64 with these sizes."""
        if not any(isinstance(dim, Symbolic) for dim in dims):
            return self.ints([dim for dim in dims if isinstance(dim, int)])
        parts = ", ".join(self.size(dim) for dim in dims)
        return self._make(f"shape/{', '.join(map(str, dims))}", f"Concat <axis = 0> ({parts})")

    def scalar(self, dim: Dim) -> Raw:
        """A size as a scalar i64."""
        if not isinstance(dim, Symbolic):
            return self.constant(dim, "i64")
        return self._make(f"scalar/{dim}", f"Squeeze ({self.size(dim)})")

    def size(self, dim: Dim) -> Raw:
        """A size as a vector of one i64."""
        if not isinstance(dim, Symbolic):
            return self.ints([dim])
        place = self._places.get(str(dim))
        if place is not None:
            start, end = place[1], place[1] + 1
            return self._make(f"size/{dim}", f"Shape <start = {start}, end = {end}> ({quote(place[0])})")
        total: Raw | None = None
        for monomial, coefficient in dim.terms:
            factors = [self._atom(atom, dim) for atom in monomial]
            if coefficient != 1 or not factors:
                factors.append(self.ints([coefficient]))
            term = self._fold("Mul", factors)
            total = term if total is None else self._fold("Add", [total, term])
        assert total is not None
        return total

    def _atom(self, atom: object, whole: Dim) -> Raw:
        if isinstance(atom, Division):
            above, below = self.size(atom.numerator), self.size(atom.denominator)
            rest = self._fold("Mod", [above, below])
            if atom.kind == "%":
                return rest
            return self._fold("Div", [self._fold("Sub", [above, rest]), below])  # Div alone cuts towards zero
        if atom not in self._places:
            raise fail(
                "DLS0703",
                f"the size `{whole}` is needed when the model runs, but no input has the axis `{atom}`",
            )
        return self.size(symbol(str(atom)))

    def _fold(self, op: str, operands: list[Raw]) -> Raw:
        total = operands[0]
        for operand in operands[1:]:
            total = self._make(f"{op}/{total[1:-1]}/{operand[1:-1]}", f"{op} ({total}, {operand})")
        return total

    def _make(self, key: str, expression: str) -> Raw:
        name = self._made.get(key)
        if name is None:
            name = self._made[key] = quote(f"/{key}")
            self.lines.append(f"  {name} = {expression}")
        return name
