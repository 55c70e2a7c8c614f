"""Which Python variable holds which value: names of the user are kept, dead variables are used again."""

from __future__ import annotations

from collections.abc import Iterable

from dlspec.emit.names import Names, identifier
from dlspec.ir.graph import Graph

SPARE = ("x", "h", "y", "z")
"""Names for values that the user did not name."""


class Variables:
    """The variables of one function.

    held
        value name to variable.
    names
        all identifiers of the function, also those that are not values.
    """

    def __init__(self, graph: Graph, uses: dict[str, int], reserved: Iterable[str]) -> None:
        self.names = Names(reserved)
        self.held: dict[str, str] = {}
        self._left = uses.copy()
        self._live: dict[str, str] = {}  # variable to the value it holds now
        self._bases: dict[str, str] = {}
        self._variables: set[str] = set()
        self._users = {self._base(v) for n in graph.nodes for v in n.outputs if not v.startswith("%")}
        for value in graph.inputs:
            variable = self.names(value.name, value.name.partition("@")[0])
            self.held[value.name] = variable
            self._variables.add(variable)
            if uses.get(value.name):
                self._live[variable] = value.name

    @classmethod
    def inside(
        cls, graph: Graph, uses: dict[str, int], outer: Variables, inputs: dict[str, str]
    ) -> Variables:
        """The variables of a graph whose statements stand among another's; `inputs` are what holds its operands."""
        made = cls(graph.model_copy(update={"inputs": ()}), uses, ())
        made.names, made._variables = outer.names, outer._variables
        unread = {variable for value, variable in inputs.items() if not uses.get(value)}
        read = {variable: value for value, variable in inputs.items() if uses.get(value)}
        made._live = {v: value for v, value in outer._live.items() if v not in unread} | read
        made.held = dict(inputs)
        return made

    def release(self, reads: Iterable[str]) -> None:
        """These values have been read, once for each mention; a variable is free after the last."""
        for value in reads:
            self._left[value] = self._left.get(value, 0) - 1
            if self._left[value] <= 0:
                variable = self.held[value]
                if self._live.get(variable) == value:
                    del self._live[variable]

    def hold(self, value: str, reads: Iterable[str] = ()) -> str:
        """The variable for a new value; one that died in making it, if both are unnamed."""
        variable = self._spare(reads) if value.startswith("%") else self._named(value)
        self.held[value] = variable
        self._live[variable] = value
        self.names.taken.add(variable)
        self._variables.add(variable)
        return variable

    def _base(self, value: str) -> str:
        stem = value.partition("@")[0]
        if stem not in self._bases:
            name = identifier(stem)
            while not self._is_free(name):
                name += "_"
            self._bases[stem] = name
        return self._bases[stem]

    def _named(self, value: str) -> str:
        base = self._base(value)
        return base if base not in self._live else self._numbered(base)

    def _spare(self, reads: Iterable[str]) -> str:
        for value in reads:
            variable = self.held.get(value, "")
            if value.startswith("%") and variable not in self._live and variable not in self._users - {"x"}:
                return variable
        for name in SPARE:
            if name not in self._live and (name == "x" or name not in self._users) and self._is_free(name):
                return name
        return self._numbered("x")

    def _is_free(self, name: str) -> bool:
        return name not in self.names.taken or name in self._variables

    def _numbered(self, base: str) -> str:
        count = 1
        while f"{base}{count}" in self._live or f"{base}{count}" in self._users:
            count += 1
        return f"{base}{count}"
