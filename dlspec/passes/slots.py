"""The arguments in which instances of one class differ, as constructor parameters of the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.ir.dims import Symbolic
from dlspec.ir.graph import Graph

MISSING: Any = object()
"""The default of a parameter that must be given."""

ITEMS = {
    "shape": ("size",), "free_shape": ("size",), "ranges": ("place",), "place": ("start", "stop", "step"),
    "repeats": ("count",), "axes": ("axis",), "swaps": ("axis",),
}  # fmt: skip
"""Sequences of which each item is an argument for itself, and what the parameters for items are called."""


@dataclass(frozen=True, slots=True)
class Ref:
    """In place of a value: the constructor parameter that gives it."""

    name: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A constructor parameter, with its value in each instance of the class."""

    name: str
    values: tuple[Any, ...]
    default: Any = MISSING


def collapse(value: Any) -> Any:
    """Equal numbers for every axis as one number: (3, 3) as 3, ((1, 1), (1, 1)) as 1."""
    if isinstance(value, (list, tuple)):
        items = [collapse(item) for item in value]
        if items and all(type(item) is type(items[0]) and item == items[0] for item in items):
            return items[0]
        return tuple(items)
    return value


class Slots:
    """Collects, node after node, which arguments become parameters.

    `found` maps node number and source to a `Ref`, or to a tuple with some in it. Of a single instance nothing
    varies: `linked` says which arguments are a parameter's value (see `dependence`).
    """

    def __init__(
        self, graphs: Sequence[Graph], is_entry: bool, linked: Mapping[tuple[int, str], str] | None = None
    ) -> None:
        self.graphs, self.is_entry, self._linked = graphs, is_entry, linked
        self.found: dict[tuple[int, str], Any] = {}
        given = {name: tuple(collapse(g.params.get(name)) for g in graphs) for name in graphs[0].params}
        self._block = {name: values for name, values in given.items() if all(map(is_plain, values))}
        self._used: dict[str, tuple[Any, ...]] = {}

    def node(self, index: int, values: Sequence[Mapping[str, Any]]) -> None:
        """Decide about one node, given its arguments by source in each instance."""
        direct = self._direct(index)
        for source in values[0]:
            vector = tuple(v[source] for v in values)
            slot = self._slot(index, source, vector, direct)
            if slot is not None:
                self.found[index, source] = slot

    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters in use: sizes of what comes in, then the block's in its order, then others."""
        order = [
            *(n for n in self._block if n in self._used),
            *(n for n in self._used if n not in self._block),
        ]
        made = [Parameter(name, self._used[name], self._default(name)) for name in order]
        return tuple(sorted(made, key=lambda p: (p.default is not MISSING, not p.name.startswith("in_"))))

    def _default(self, name: str) -> Any:
        if name not in self._block:
            return MISSING
        if self.is_entry:
            return self._block[name][0]
        default = self.graphs[0].defaults.get(name, MISSING)
        return collapse(default) if is_plain(collapse(default)) else MISSING

    def _direct(self, index: int) -> dict[str, str]:
        """Arguments of a node that one parameter of the block gave, in every instance."""
        if index < 0 or self._linked is not None:
            return {}
        sources = self.graphs[0].nodes[index].sources
        return {
            field: param
            for field, param in sources.items()
            if param in self._block and all(g.nodes[index].sources.get(field) == param for g in self.graphs)
        }

    def _slot(self, index: int, source: str, vector: tuple[Any, ...], direct: Mapping[str, str]) -> Any:
        values = tuple(map(collapse, vector))
        given = direct.get(source)
        if given is not None and values == self._block[given]:
            return self._use(given, values)
        if self._linked is not None:
            param = self._linked.get((index, source))
            return None if param is None else self._use(param, values)
        if all(value == values[0] for value in values[1:]) or "|" in source:
            return None
        if isinstance(values[0], Symbolic):
            return None  # a size of what comes in, called what the first instance calls it
        if (source in ITEMS and isinstance(vector[0], tuple)) or any(map(_has_symbol, values)):
            return self._items(index, source, vector)
        for known in (self._block, self._used):
            for name, others in known.items():
                if _same(others, values):
                    return self._use(name, values)
        return self._use(self._unused(source), values)

    def _items(self, index: int, source: str, vector: tuple[Any, ...]) -> tuple[Any, ...]:
        names = ITEMS.get(source, (source,))
        found = []
        for place, values in enumerate(zip(*vector, strict=True)):
            slot = self._slot(index, names[min(place, len(names) - 1)], values, {})
            found.append(values[0] if slot is None else slot)
        return tuple(found)

    def _use(self, name: str, values: tuple[Any, ...]) -> Ref:
        self._used.setdefault(name, values)
        return Ref(name)

    def _unused(self, name: str) -> str:
        count, unique = 1, name
        while unique in self._used or unique in self._block:
            count += 1
            unique = f"{name}{count}"
        return unique


def is_plain(value: Any) -> bool:
    """Whether a value can be a constructor argument: numbers, words, and tuples of them."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, (int, float, str))


def _has_symbol(value: Any) -> bool:
    return isinstance(value, Symbolic) or (isinstance(value, (list, tuple)) and any(map(_has_symbol, value)))


def _same(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    return left == right and all(type(a) is type(b) for a, b in zip(left, right, strict=True))
