"""Symbolic sizes in printed code, and shapes in its comments and docstrings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.code import PRODUCT, SUM, Code, infix, literal
from dlspec.emit.names import Names
from dlspec.ir.dims import Dim, Division, Symbolic, symbol, symbols
from dlspec.ir.graph import Graph
from dlspec.ir.traced import size_variables, variables
from dlspec.ir.types import TensorType
from dlspec.passes.expressions import gives, instance_variables, readable, remembered
from dlspec.passes.outline import Plan

# The letters of axes by rank, in each layout.
LETTERS = {
    "channels_first": {1: "L", 2: "ND", 3: "NTD", 4: "NCHW", 5: "NCDHW"},
    "channels_last": {1: "L", 2: "ND", 3: "NTD", 4: "NHWC", 5: "NDHWC"},
}
NAMES = {
    "f32": "float32", "f64": "float64", "f16": "float16", "bf16": "bfloat16",
    "i64": "int64", "i32": "int32", "i8": "int8", "u8": "uint8", "bool": "bool",
}  # fmt: skip


def size_code(dim: Dim, symbol_code: Callable[[str], Code]) -> Code:
    """A size as code; `symbol_code` writes its symbols and variables."""
    if isinstance(dim, int):
        return literal(dim)
    total: Code | None = None
    for monomial, coefficient in dim.terms:
        factors = [
            code if count == 1 else infix("**", code, literal(count))
            for atom, count in Counter(monomial).items()
            for code in [_atom_code(atom, symbol_code)]
        ]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, literal(abs(coefficient)))
        term = factors[0]
        for factor in factors[1:]:
            term = infix("*", term, factor)
        if total is None:
            total = term if coefficient > 0 else Code(f"-{term.at(PRODUCT + 1)}", SUM)
        else:
            total = infix("-" if coefficient < 0 else "+", total, term)
    assert total is not None
    return total


def _atom_code(atom: Any, symbol_code: Callable[[str], Code]) -> Code:
    if isinstance(atom, Division):
        return infix(
            atom.sign, size_code(atom.numerator, symbol_code), size_code(atom.denominator, symbol_code)
        )
    return symbol_code(atom)


SHORT = 4
"""Names and numbers in a size that a comment has room for."""


class Sizes:
    """Symbolic sizes as code: each is read once, at the start of the function, from an input's shape."""

    def __init__(self, graph: Graph, names: Names, shape_of: str) -> None:
        self._names, self._shape_of = names, shape_of
        self._inputs = [value.name for value in graph.inputs]
        self._ranks = {value.name: value.type.rank for value in graph.inputs}
        self._places: dict[str, tuple[str, int]] = {}
        for value in graph.inputs:
            for axis, dim in enumerate(value.type.shape):
                if isinstance(dim, Symbolic):
                    self._places.setdefault(str(dim), (value.name, axis))
        inputs = [value.type for value in graph.inputs]
        for name, (position, axis) in size_variables(inputs, graph.params).items():
            self._places.setdefault(name, (self._inputs[position], axis))
        self._read: dict[tuple[str, int], str] = {}
        self._held: dict[str, str] = {}

    def inside(self, graph: Graph, inputs: dict[str, str]) -> Sizes:
        """The sizes of a graph whose statements stand among this one's; `inputs` are what holds its operands."""
        made = Sizes(graph, self._names, self._shape_of)
        made._held = inputs
        return made

    def plain(self, value: Any) -> Any:
        """`value` with every symbolic size in it replaced by code."""
        if isinstance(value, Symbolic):
            return self.code(value)
        if isinstance(value, (list, tuple)) and _any_symbol(value):
            return type(value)(self.plain(item) for item in value)
        return value

    def code(self, dim: Dim) -> Code:
        """One size."""
        if isinstance(dim, int):
            return literal(dim)
        place = self._places.get(str(dim))
        if place is not None:
            name = str(dim) if str(dim).isidentifier() else f"{self._local(place[0])}_size{place[1]}"
            if place not in self._read:
                self._read[place] = self._names(f"size {dim}", name)
            return Code(self._read[place])
        return size_code(dim, lambda name: self._symbol(name, dim))

    def _symbol(self, name: str, whole: Dim) -> Code:
        if name not in self._places:
            raise fail(
                "DLS0703", f"the size `{whole}` is needed at run time, but no input has the axis `{name}`"
            )
        return self.code(symbol(name))

    def knows(self, name: str) -> bool:
        """Whether a variable or symbol can be read from an input's shape."""
        return name in self._places

    def _local(self, name: str) -> str:
        return self._held.get(name) or self._names(name, name.partition("@")[0])

    def prologue(self) -> list[str]:
        """The statements that read the sizes."""
        lines = []
        for name in self._inputs:
            axes = {axis: local for (value, axis), local in self._read.items() if value == name}
            shape = self._shape_of.replace("{x}", self._local(name))
            if not axes:
                continue
            if len(axes) > 1 and sorted(axes) == list(range(len(axes))):
                names = ", ".join(axes[axis] for axis in range(len(axes)))
                all_of_it = len(axes) == self._ranks[name]
                lines.append(f"{names} = {shape}" if all_of_it else f"{names} = {shape}[:{len(axes)}]")
            elif len(axes) > 1:
                names = ", ".join(axes.get(axis, "_") for axis in range(self._ranks[name]))
                lines.append(f"{names} = {shape}")
            else:
                lines.extend(f"{axes[axis]} = {shape}[{axis}]" for axis in sorted(axes))
        return lines


class Shapes:
    """Shapes as a reader sees them: sizes by what gives them from the variables of the class, else as numbers, or
    where these differ between instances as letters.
    """

    def __init__(self, plan: Plan, graphs: Sequence[Graph], layout: str) -> None:
        self._axes = LETTERS[layout]
        self._types = [graph.types for graph in graphs]
        self._params = {param.values: param.name for param in reversed(plan.params)}
        self._variables = [instance_variables(graph) for graph in graphs]
        sizes = size_variables([value.type for value in plan.graph.inputs], plan.graph.params)
        self._own = {name: name for name in sizes if name.isupper()} | plan.names
        self._there = self._variables  # of the instances that have the value at hand
        self._letters: dict[tuple[str, ...], str] = {}
        for value in plan.graph.inputs:
            self.dims(value.name)

    def dims(self, value: str) -> tuple[str, ...]:
        """The sizes of a value's axes; `...` where instances differ in their number."""
        there = [(types[value].shape, own) for types, own in zip(self._types, self._variables, strict=True)
                 if value in types]  # fmt: skip
        shapes = [shape for shape, _ in there]
        self._there = [own for _, own in there]
        if len({len(shape) for shape in shapes}) > 1:
            return ("...",)
        return tuple(
            self._name(axis, len(shapes[0]), vector) for axis, vector in enumerate(zip(*shapes, strict=True))
        )

    def _name(self, axis: int, rank: int, vector: tuple[Dim, ...]) -> str:
        for candidate in dict.fromkeys(map(remembered, vector)):
            if candidate is not None and self._gives(candidate, vector):
                return str(size_code(candidate, lambda name: Code(self._own.get(name, name))))
        if all(dim == vector[0] for dim in vector[1:]) and not self._is_derived(vector):
            return str(vector[0])
        if vector in self._params:
            return self._params[vector]
        base = self._axes[rank][axis] if rank in self._axes else f"D{axis}"
        key = (base, *map(str, vector))
        if key not in self._letters:
            letter = base
            while letter in {*self._letters.values(), *self._own.values()}:
                letter += "'"
            self._letters[key] = letter
        return self._letters[key]

    def _is_derived(self, vector: tuple[Dim, ...]) -> bool:
        """Whether a size hangs on what is shown by name."""
        return any(name in self._own for dim in vector for name in variables(dim))

    def _gives(self, candidate: Symbolic, vector: tuple[Dim, ...]) -> bool:
        """Whether an expression may stand for these sizes."""
        names = symbols(candidate)
        known = all(name in self._own for name in names if name in self._variables[0])
        return known and readable(candidate, SHORT) and gives(candidate, vector, self._there)

    def comment(self, value: str) -> str:
        """A shape for the comment after a statement."""
        return f"[{', '.join(self.dims(value))}]"

    def of(self, value: str) -> str:
        """Type and shape for a docstring."""
        kind: TensorType = next(types[value] for types in self._types if value in types)
        return f"{NAMES[kind.dtype]} {self.comment(value)}" if kind.rank else NAMES[kind.dtype]


def _any_symbol(value: Any) -> bool:
    return isinstance(value, Symbolic) or (isinstance(value, (list, tuple)) and any(map(_any_symbol, value)))
