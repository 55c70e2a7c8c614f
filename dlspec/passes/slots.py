"""What is printed for the arguments of a class: a number, or what gives it from parameters of the constructor.

An argument whose number is known to come from the variables of the block (`ir.traced`) is printed as that
expression, ``4 * planes``, if in every instance of the class the expression gives the number. Numbers that nothing
is known of are literals where they are equal, else parameters of their own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ir.dims import Dim, Division, Symbolic, substitute, symbol, symbols
from dlspec.ir.graph import Graph
from dlspec.ir.traced import LOST, Traced, expression, size_variables, untraced, variables

MISSING: Any = object()
"""The default of a parameter that must be given."""

ITEMS = {
    "shape": ("size",), "free_shape": ("size",), "ranges": ("place",), "place": ("start", "stop", "step"),
    "repeats": ("count",), "axes": ("axis",), "swaps": ("axis",),
    "last_first": ("edge",),
}  # fmt: skip
"""Sequences of which each item is an argument for itself, and what the parameters for items are called."""

MOST_ATOMS = 6
"""Names and numbers in an expression that is still easy to read."""

CUSTOMARY = {
    "B": "batch", "C": "in_channels", "D": "dim", "E": "dim", "F": "in_features", "H": "height", "L": "length",
    "N": "batch", "T": "length", "W": "width",
}  # fmt: skip
"""What the sizes of inputs that a spec calls by a letter are called in constructors."""


@dataclass(frozen=True, slots=True)
class Expression:
    """In place of a value: what gives it, over the variables of the class (see `Plan.names`)."""

    dim: Symbolic


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constructor parameter, with its value in each instance of the class.

    variable
        the variable of the graphs that it is; of a parameter that only holds what differs, its own name.
    """

    name: str
    values: tuple[Any, ...]
    default: Any = MISSING
    variable: str = ""


def collapse(value: Any) -> Any:
    """Equal numbers for every axis as one number: (3, 3) as 3, ((1, 1), (1, 1)) as 1."""
    if isinstance(value, (list, tuple)):
        items = [collapse(item) for item in value]
        if items and all(_alike(item, items[0]) for item in items):
            return items[0]
        return tuple(items)
    return value


def _alike(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other) and bool(expression(one) == expression(other))


def instance_variables(graph: Graph) -> dict[str, Any]:
    """The values of a graph's variables: its parameters, and the sizes of its inputs that are known."""
    params = {name: collapse(value) for name, value in graph.params.items()}
    inputs = [value.type for value in graph.inputs]
    sizes = {name: inputs[i].shape[axis] for name, (i, axis) in size_variables(inputs, graph.params).items()}
    return {**untraced(sizes), **{name: value for name, value in params.items() if is_plain(value)}}


class Slots:
    """Collects, node after node, which arguments are more than literals.

    found
        node number and source to an `Expression`, or to a tuple with some in it.
    unsaid
        sequences that are written out, such as the padding that "same" comes to, in which instances differ and which
        nothing gives in all of them: such instances cannot share a class.
    allowed
        the variables that may be used; None: all.
    """

    def __init__(self, graphs: Sequence[Graph], *, is_entry: bool, allowed: Collection[str] | None) -> None:
        self.graphs, self.is_entry = graphs, is_entry
        self.found: dict[tuple[int, str], Any] = {}
        self.unsaid: list[tuple[Any, ...]] = []
        self.instances = [instance_variables(graph) for graph in graphs]
        self.variables = {
            name: tuple(instance[name] for instance in self.instances)
            for name in self.instances[0]
            if all(name in instance for instance in self.instances) and (allowed is None or name in allowed)
        }
        self._inputs = [value.type for value in graphs[0].inputs]
        self.sizes = size_variables(self._inputs, graphs[0].params)
        self._used: dict[
            str, str
        ] = {}  # variables that the constructor needs: to what they were first used for
        self._invented: dict[str, tuple[Any, ...]] = {}

    def node(
        self,
        index: int,
        values: Sequence[Mapping[str, Any]],
        sources: Sequence[Mapping[str, Dim]],
        *,
        in_constructor: bool = True,
    ) -> None:
        """Decide about one node, given its arguments by source in each instance, and what gave them."""
        for source in values[0]:
            vector = tuple(v[source] for v in values)
            given = {instance.get(source) for instance in sources}
            slot = self._given(vector, given.pop() if len(given) == 1 else None)
            if slot is None:
                slot = self._slot(source, vector)
            if slot is not None:
                self.found[index, source.partition("|")[0]] = slot
                if in_constructor:
                    self._use(slot, source)
                else:  # sizes of inputs are read from these
                    self._use(slot, source, but=self.sizes)

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in use: sizes of what comes in, then the block's in its order, then others."""
        names = self._names()
        order = [*(n for n in self.sizes if n in self._used),
                 *(n for n in self.variables if n in self._used and n not in self.sizes)]  # fmt: skip
        made = [Parameter(names[n], self.variables[n], self._default(n), n) for n in order]
        made += [Parameter(n, values, MISSING, n) for n, values in self._invented.items()]
        return tuple(sorted(made, key=lambda p: (p.default is not MISSING, not p.name.startswith("in_"))))

    def _names(self) -> dict[str, str]:
        names = {name: name for name in self.variables if name not in self.sizes}
        for name in self.sizes:
            if name in self._used:
                names[name] = self._size_name(name, {*names.values(), *self._invented})
        return names

    def _size_name(self, variable: str, taken: Collection[str]) -> str:
        """What the constructor calls a size of an input."""
        position, axis = self.sizes[variable]
        if re.fullmatch(rf"{re.escape(self.graphs[0].inputs[position].name)}_\d+_*", variable):  # has no name
            rank = self._inputs[position].rank
            letter = {2: "NF", 3: "NTD"}.get(rank, "NC")
            source = self._used[variable]
            plain = source if re.fullmatch(r"(in_)?(channels|features)", source) else ""
            wanted = plain or (CUSTOMARY[letter[axis]] if axis < len(letter) else f"size{axis}")
        else:
            wanted = CUSTOMARY.get(variable) or (variable.lower() if variable.isupper() else variable)
        while wanted in taken:
            wanted = f"{variable.lower()}_size" if not wanted.endswith("_size") else f"{wanted}_"
        return wanted

    def _default(self, name: str) -> Any:
        if name in self.sizes:
            return MISSING
        if self.is_entry:
            return self.variables[name][0]
        default = collapse(self.graphs[0].defaults.get(name, MISSING))
        return default if is_plain(default) else MISSING

    def _given(self, vector: tuple[Any, ...], source: Dim | None) -> Expression | None:
        """An argument that is no whole number, and straight from a parameter."""
        if not isinstance(source, Symbolic) or any(isinstance(value, Traced) for value in vector):
            return None
        known = self.variables.get(str(source))
        return (
            Expression(source) if known is not None and _same(known, tuple(map(collapse, vector))) else None
        )

    def _slot(self, source: str, vector: tuple[Any, ...]) -> Any:
        name, _, table = source.partition("|")
        if is_word(source):
            return None
        as_they_are = name in ITEMS or table in ("tuple", "list")
        values = vector if as_they_are else tuple(map(collapse, vector))
        if all(isinstance(value, (int, Symbolic)) and not isinstance(value, bool) for value in values):
            found = self._expression(values)
            if found is not None:
                return found
        plain = untraced(values)
        alike = all(value == plain[0] for value in plain[1:])
        runtime = any(map(_has_symbol, plain))
        if all(isinstance(value, (list, tuple)) and len(value) == len(vector[0]) for value in vector):
            if runtime or (name in ITEMS and not alike):
                return self._items(name, vector)
            items = self._remembered_items(vector) if any(map(variables, values)) else None
            if items is not None:
                return items
        if table and not alike and not runtime:
            self.unsaid.append(plain)
        return None if alike or table or runtime else self._parameter(name, plain)

    def _parameter(self, name: str, values: tuple[Any, ...]) -> Expression:
        """A parameter that holds what instances differ in; one with these values if there is one."""
        for known_name, known in (*self.variables.items(), *self._invented.items()):
            if known_name not in self.sizes and _same(known, values):
                return Expression(symbol(known_name))
        invented = self._unused(name.removeprefix("symmetric_"))
        self._invented[invented] = values
        return Expression(symbol(invented))

    def _items(self, source: str, vector: tuple[Any, ...]) -> Any:
        """A list of which each item is an argument for itself; None if all are literals."""
        names = ITEMS.get(source, (source,))
        items = [
            self._slot(names[min(place, len(names) - 1)], values)
            for place, values in enumerate(zip(*vector, strict=True))
        ]
        return _filled(items, vector[0])

    def _remembered_items(self, vector: tuple[Any, ...]) -> Any:
        """A list of which each item is a literal or known to come from variables; None where one is neither."""
        items: list[Any] = []
        for values in zip(*vector, strict=True):
            found = None
            if all(isinstance(value, (list, tuple)) for value in values):
                found = self._remembered_items(values)
            elif all(isinstance(value, int) for value in values):
                found = self._expression(values)
            if found is None and any(value != values[0] for value in values):
                return None
            items.append(found)
        return _filled(items, vector[0])

    def _expression(self, values: tuple[Any, ...]) -> Expression | None:
        """What gives these numbers in all instances, if one of them knows."""
        for candidate in dict.fromkeys(map(remembered, values)):
            if candidate is not None and self._is_fit(candidate, values):
                return Expression(candidate)
        return None

    def _is_fit(self, candidate: Symbolic, values: Sequence[Any]) -> bool:
        """Whether an expression may be printed, and is right in every instance."""
        runtime = {name for value in values if isinstance(value, Symbolic) for name in symbols(value)}
        if not readable(candidate) or not symbols(candidate) - runtime <= self.variables.keys():
            return False
        return not runtime & self.variables.keys() and gives(candidate, values, self.instances)

    def _use(self, slot: Any, source: str, but: Collection[str] = ()) -> None:
        if isinstance(slot, tuple):
            for item in slot:
                self._use(item, source, but)
        if isinstance(slot, Expression):
            for name in sorted(symbols(slot.dim) & self.variables.keys()):
                if name not in but:
                    self._used.setdefault(name, source.partition("|")[0])

    def _unused(self, name: str) -> str:
        count, unique = 1, name
        while unique in self._invented or unique in self.instances[0]:
            count += 1
            unique = f"{name}{count}"
        return unique


def remembered(value: Any) -> Symbolic | None:
    """What gave a size, as one expression over variables and the symbols of sizes only known at run time."""
    if isinstance(value, Traced):
        return None if LOST in symbols(value.expr) else value.expr
    if not isinstance(value, Symbolic) or not any(isinstance(c, Traced) for _, c in value.terms):
        return None
    total: Dim = 0
    for monomial, coefficient in value.terms:
        part = expression(coefficient)
        total = total + (part * Symbolic(((monomial, 1),)) if monomial else part)
    return total if isinstance(total, Symbolic) else None


def gives(candidate: Symbolic, values: Sequence[Any], instances: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an expression is right in every instance, whose variables are given."""
    try:
        found = [substitute(candidate, _numbers(instance)) for instance in instances]
    except ZeroDivisionError:
        return False
    return found == list(values)


def readable(dim: Dim, most: int = MOST_ATOMS) -> bool:
    """Whether a person would write this expression."""
    return _atoms(dim) <= most


def _atoms(dim: Dim) -> int:
    if isinstance(dim, int):
        return 1
    count = 0
    for monomial, coefficient in dim.terms:
        count += abs(coefficient) != 1 or not monomial
        for atom in dict.fromkeys(monomial):
            count += (
                2 + _atoms(atom.numerator) + _atoms(atom.denominator) if isinstance(atom, Division) else 1
            )
        count += len(monomial) - len(set(monomial))
    return count


def is_word(source: str) -> bool:
    """Whether what a row says of an argument is looked up in a table of the backend: then it is no parameter."""
    return source.partition("|")[2] not in ("", "tuple", "list", "single")


def is_plain(value: Any) -> bool:
    """Whether a value can be a constructor argument: numbers, words, and tuples of them."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, (int, float, str))


def _filled(items: Sequence[Any], values: Sequence[Any]) -> tuple[Any, ...] | None:
    """A list in which some items are known by more than their value; None if none is."""
    if all(item is None for item in items):
        return None
    return tuple(untraced(v) if item is None else item for item, v in zip(items, values, strict=True))


def _numbers(instance: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in instance.items() if isinstance(value, int)}


def _has_symbol(value: Any) -> bool:
    return isinstance(value, Symbolic) or (isinstance(value, (list, tuple)) and any(map(_has_symbol, value)))


def _same(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return left == right and all(type(a) is type(b) for a, b in zip(left, right, strict=True))
