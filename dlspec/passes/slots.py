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

from dlspec.ir.condition import holds, names
from dlspec.ir.dims import Dim, Symbolic, symbol, symbols
from dlspec.ir.graph import Graph
from dlspec.ir.traced import Traced, size_variables, untraced, variables
from dlspec.passes.expressions import (
    Expression,
    collapse,
    counted_from_either_end,
    filled,
    gives,
    has_symbol,
    instance_variables,
    is_plain,
    is_word,
    readable,
    remembered,
    same,
)

MISSING: Any = object()
"""The default of a parameter that must be given."""

ITEMS = {
    "shape": ("size",), "free_shape": ("size",), "ranges": ("place",), "place": ("start", "stop", "step"),
    "repeats": ("count",), "axes": ("axis",), "swaps": ("axis",),
    "last_first": ("edge",),
}  # fmt: skip
"""Sequences of which each item is an argument for itself, and what the parameters for items are called."""

CUSTOMARY = {
    "B": "batch", "C": "in_channels", "D": "dim", "E": "dim", "F": "in_features", "H": "height", "L": "length",
    "N": "batch", "T": "length", "W": "width",
}  # fmt: skip
"""What the sizes of inputs that a spec calls by a letter are called in constructors."""


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


class Slots:
    """Collects, node after node, which arguments are more than literals.

    found
        node number and source to an `Expression`, or to a tuple with some in it.
    allowed
        the variables that may be used; None: all. `unset` are not.
    """

    def __init__(
        self,
        graphs: Sequence[Graph],
        *,
        is_entry: bool,
        allowed: Collection[str] | None,
        unset: Collection[str] = (),
    ) -> None:
        self.graphs, self.is_entry = graphs, is_entry
        self.found: dict[tuple[int, str], Any] = {}
        self.instances = [instance_variables(graph) for graph in graphs]
        self.variables = {
            name: tuple(instance[name] for instance in self.instances)
            for name in self.instances[0]
            if all(name in instance for instance in self.instances)
            and (allowed is None or name in allowed)
            and name not in unset
        }
        self._inputs = [value.type for value in graphs[0].inputs]
        self.sizes = size_variables(self._inputs, graphs[0].params)
        self._there = list(range(len(graphs)))  # the instances that have the node at hand
        self._used: dict[
            str, str
        ] = {}  # variables that the constructor needs: to what they were first used for
        self._invented: dict[str, tuple[Any, ...]] = {}

    def node(
        self,
        index: int,
        values: Sequence[Mapping[str, Any] | None],
        sources: Sequence[Mapping[str, Dim] | None],
        *,
        in_constructor: bool = True,
    ) -> None:
        """Decide about one node, given its arguments by source in each instance, and what gave them (None where
        an instance has not got it).
        """
        self._there = [index for index, each in enumerate(values) if each is not None]
        present = [each for each in values if each is not None]
        for source in present[0]:
            vector = tuple(v[source] for v in present)
            given = {instance.get(source) for instance in sources if instance is not None}
            slot = self._given(vector, given.pop() if len(given) == 1 else None)
            if slot is None:
                slot = self._slot(source, vector)
            if slot is not None:
                self.found[index, source.partition("|")[0]] = slot
                if in_constructor:
                    self._use(slot, source)
                else:  # sizes of inputs are read from these
                    self._use(slot, source, but=self.sizes)

    def condition(
        self, told: Collection[str], there: tuple[bool, ...], flag: str, hints: Collection[str]
    ) -> str:
        """When nodes are there that only some instances have: what the spec says; or the value of a parameter that
        they depend on (`hints`) with which they would do nothing; or a parameter of its own.
        """
        for text in told if len(told) == 1 else ():
            values = [holds(text, instance) for instance in self.instances]
            if values == list(there) and names(text) <= self.variables.keys():
                for name in names(text):
                    self._used.setdefault(name, "")
                return text
        for name in self.variables:
            told_apart = name in hints and name not in self.sizes and self._tells_apart(name, there)
            if told_apart:
                self._used.setdefault(name, "")
                return told_apart
        name = self._unused(flag)
        self._invented[name] = there
        return name

    def padded(self, indices: Sequence[int], there: tuple[bool, ...]) -> str:
        """The condition that these nodes, all of them paddings, add anything; "" where their amounts cannot say.

        Instances without them have a padding of 0.
        """
        amounts = dict.fromkeys(
            str(dim) for (index, _), slot in self.found.items() if index in indices for dim in _dims(slot)
        )
        given = {
            name: tuple(0 if value is None else value for value in self._invented[name])
            for name in amounts
            if name in self._invented
        }
        text = " or ".join(f"{amount} != 0" for amount in amounts)
        instances = [
            {**instance, **{name: values[i] for name, values in given.items()}}
            for i, instance in enumerate(self.instances)
        ]
        if not text or [holds(text, instance) for instance in instances] != list(there):
            return ""
        self._invented.update(given)
        for name in names(text) & self.variables.keys():
            self._used.setdefault(name, "")
        return text

    def _tells_apart(self, name: str, there: tuple[bool, ...]) -> str:
        """A condition on one variable alone, which must have one value in all instances without the nodes."""
        absent = {value for value, is_there in zip(self.variables[name], there, strict=True) if not is_there}
        present = {value for value, is_there in zip(self.variables[name], there, strict=True) if is_there}
        (one, *others) = absent
        if others or one in present or not isinstance(one, int):
            return ""
        return f"{name} != {one!r}" if not isinstance(one, bool) else (f"not {name}" if one else name)

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in use: sizes of what comes in, then the block's in its order, then others."""
        called = self._names()
        order = [*(n for n in self.sizes if n in self._used),
                 *(n for n in self.variables if n in self._used and n not in self.sizes)]  # fmt: skip
        made = [Parameter(called[n], self.variables[n], self._default(n), n) for n in order]
        for name, values in self._invented.items():
            made.append(Parameter(name, values, None if None in values else MISSING, name))
        return tuple(sorted(made, key=lambda p: (p.default is not MISSING, not p.name.startswith("in_"))))

    def _names(self) -> dict[str, str]:
        called = {name: name for name in self.variables if name not in self.sizes}
        for name in self.sizes:
            if name in self._used:
                called[name] = self._size_name(name, {*called.values(), *self._invented})
        return called

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
        known = self._here(self.variables.get(str(source)))
        return Expression(source) if known is not None and same(known, tuple(map(collapse, vector))) else None

    def _here(self, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        """The values in the instances that have the node."""
        return None if values is None else tuple(values[index] for index in self._there)

    def _slot(self, source: str, vector: tuple[Any, ...]) -> Any:
        name, _, table = source.partition("|")
        if is_word(source):
            return None
        as_they_are = name in ITEMS or table in ("tuple", "list")
        values = vector if as_they_are else tuple(map(collapse, vector))
        if all(isinstance(value, (int, Symbolic)) and not isinstance(value, bool) for value in values):
            found = self._expression(values)
            if found is not None:
                return Expression(counted_from_either_end(found.dim)) if name == "axis" else found
        plain = untraced(values)
        alike = all(value == plain[0] for value in plain[1:])
        runtime = any(map(has_symbol, plain))
        if all(isinstance(value, (list, tuple)) and len(value) == len(vector[0]) for value in vector):
            if runtime or (as_they_are and not alike):
                return self._items(source, vector)
            items = self._remembered_items(vector) if any(map(variables, values)) else None
            if items is not None:
                return items
        return None if alike or runtime else self._parameter(name, plain)

    def _parameter(self, name: str, values: tuple[Any, ...]) -> Expression:
        """A parameter that holds what instances differ in; one with these values if there is one."""
        for known_name, known in (*self.variables.items(), *self._invented.items()):
            if known_name not in self.sizes and same(self._here(known) or (), values):
                return Expression(symbol(known_name))
        invented = self._unused(name.removeprefix("symmetric_"))
        everywhere: list[Any] = [None] * len(self.instances)
        for index, value in zip(self._there, values, strict=True):
            everywhere[index] = value
        self._invented[invented] = tuple(everywhere)
        return Expression(symbol(invented))

    def _items(self, source: str, vector: tuple[Any, ...]) -> Any:
        """A list of which each item is an argument for itself; None if all are literals."""
        name, bar, table = source.partition("|")
        words = ITEMS.get(name, (name,))
        items = [
            self._slot(f"{words[min(place, len(words) - 1)]}{bar}{table}", values)
            for place, values in enumerate(zip(*vector, strict=True))
        ]
        return filled(items, vector[0])

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
        return filled(items, vector[0])

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
        return not runtime & self.variables.keys() and gives(
            candidate, values, [self.instances[index] for index in self._there]
        )

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


def _dims(slot: Any) -> list[Symbolic]:
    """The expressions in what is printed for an argument."""
    if isinstance(slot, tuple):
        return [dim for item in slot for dim in _dims(item)]
    return [slot.dim] if isinstance(slot, Expression) else []
