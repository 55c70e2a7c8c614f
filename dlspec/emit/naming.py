"""The names in a printed module: classes, their constructor parameters and attributes; and weight paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlspec.emit.manifest import Backend, Row
from dlspec.emit.names import KEYWORDS, Names, identifier
from dlspec.ir.graph import PURE_BODY, Call, Graph, Node
from dlspec.passes.options import Option
from dlspec.passes.outline import Outline, Plan, raw_weights

Path = tuple[str | int, ...]
"""Attributes, and indices into stacks of blocks."""


@dataclass(frozen=True, slots=True)
class ClassNames:
    """The names of one class: its own, by parameter, and by what an attribute holds (see `held_by`)."""

    name: str
    params: dict[str, str]
    attributes: dict[str, str]


class ModuleNames:
    """The names of all classes of an outline. `given` are attributes that are decided, by name in the spec."""

    def __init__(self, outline: Outline, backend: Backend, given: Mapping[str, str] | None = None) -> None:
        self.outline, self.backend, self.given = outline, backend, given or {}
        classes = Names({*backend.reserved, *backend.helper_names})
        self.functions = _functions(outline)
        self.inlined = {plan.name for plan in outline.plans if plan.graph.name == PURE_BODY} & self.functions
        names = {
            plan.name: classes(snake(plan.name) if plan.name in self.functions else plan.name)
            for plan in outline.plans
        }
        self.reserved = frozenset({*backend.reserved, *backend.helper_names, *names.values()})
        self._spoken = {name for plan in outline.plans for name in _spec_names(plan)}
        self._renamed: dict[str, str] = {}
        self.of = {plan.name: self._names(plan, names[plan.name]) for plan in outline.plans}

    def _names(self, plan: Plan, name: str) -> ClassNames:
        params = Names(self.reserved)
        attributes = Names({*KEYWORDS, *self.backend.attributes})
        for weight in raw_weights(plan.graph):
            self._attribute(attributes, held_by(weight.name), weight.name)
        for node, row in zip(plan.graph.nodes, plan.rows, strict=True):
            if row is None and self.callee(node).name in self.functions:
                continue
            if row is None or row.kind == "init":
                base = node.name or node.output.partition("@")[0]
                self._attribute(
                    attributes, key_of(node), node.op.spec_name() if base.startswith("%") else base
                )
        for param in plan.params:
            attributes(kept(param.name), identifier(param.name, KEYWORDS))
        return ClassNames(name, {param.name: params(param.name) for param in plan.params}, attributes.known)

    def _attribute(self, attributes: Names, key: str, name: str) -> None:
        """An attribute; none is private, as a framework's own may be. One that cannot be called as in the spec
        gets a name that stands for nothing else in any class, and so leads back.
        """
        if name in self.given:
            attributes.known[key] = self.given[name]
            return
        wanted = identifier(name.lstrip("_"), KEYWORDS)
        if key in attributes.known or (wanted == name and wanted not in attributes.taken):
            attributes(key, wanted)
            return
        others = {attribute for attribute, spoken in self._renamed.items() if spoken != name}
        attributes.known[key] = Names({*attributes.taken, *self._spoken, *others}).fresh(wanted)
        attributes.taken.add(attributes.known[key])
        self._renamed[attributes.known[key]] = name

    def paths(self, key: str) -> Iterator[tuple[str, Path, str | None]]:
        """Every weight of a graph: canonical path, path of attributes, and layout where it differs."""
        yield from self._paths(self.outline.of[key], key, "", ())

    def _paths(
        self, plan: Plan, key: str, canonical: str, native: Path
    ) -> Iterator[tuple[str, Path, str | None]]:
        attributes = self.of[plan.name].attributes
        for weight in raw_weights(plan.graph):
            yield canonical + weight.name, (*native, attributes[held_by(weight.name)]), None
        seen: set[str] = set()
        graph = self.graph(key)
        for _, node, row in plan.nodes(graph):
            if node.name in seen:
                continue
            seen.add(node.name)
            if isinstance(node.op, Call):
                if self.callee(node).name in self.functions:
                    continue
                for step in range(node.op.repeat):
                    copy = (step,) if node.op.repeat > 1 else ()
                    prefix = canonical + ".".join(map(str, (node.name, *copy))) + "."
                    callee = self.callee(node)
                    path = (*native, attributes[key_of(node)], *copy)
                    yield from self._paths(callee, node.op.graph, prefix, path)
            elif row is not None:
                for local, name in node.weights.items():
                    path = (*native, attributes[key_of(node)], *own_attributes(row, local))
                    yield canonical + name, path, row.native(local).layout

    def native(self, plan: Plan, path: str) -> tuple[Path, str | None]:
        """The attributes that lead to a weight of a class or, by its full path, of what it calls; its layout."""
        attributes = self.of[plan.name].attributes
        if held_by(path) in attributes:
            return (attributes[held_by(path)],), None
        for node, row in zip(plan.graph.nodes, plan.rows, strict=True):
            if row is not None:
                for local, name in node.weights.items():
                    if name == path:
                        return (attributes[key_of(node)], *own_attributes(row, local)), row.native(
                            local
                        ).layout
            elif path.startswith(f"{node.name}."):
                assert isinstance(node.op, Call)
                rest = path[len(node.name) + 1 :]
                step: Path = ()
                if node.op.repeat > 1:
                    index, _, rest = rest.partition(".")
                    step = (int(index),)
                inner, layout = self.native(self.outline.of[node.op.graph], rest)
                return (attributes[key_of(node)], *step, *inner), layout
        raise KeyError(path)

    def optional_attribute(self, plan: Plan, option: Option) -> str:
        """An attribute that only instances with an option have; empty where it makes none."""
        always = {key_of(node) for index, node in enumerate(plan.graph.nodes) if index not in option.nodes}
        for index in option.nodes:
            node, row = plan.graph.nodes[index], plan.rows[index]
            is_made = row.kind == "init" if row is not None else self.callee(node).name not in self.functions
            if is_made and key_of(node) not in always:
                return self.of[plan.name].attributes[key_of(node)]
        return ""

    def callee(self, node: Node) -> Plan:
        """The class or function that a call uses."""
        assert isinstance(node.op, Call)
        return self.outline.of[node.op.graph]

    def graph(self, key: str) -> Graph:
        """The graph of a key; see `Outline.graphs`."""
        return self.outline.graphs[key]


def _functions(outline: Outline) -> set[str]:
    """The plans that are printed as functions: pure ones, and nothing in them must be kept between calls."""
    found: set[str] = set()
    for plan in outline.plans:  # callees come first
        callees = {outline.of[n.op.graph].name for n in plan.graph.nodes if isinstance(n.op, Call)}
        kept = [row for row in plan.rows if row is not None and row.kind == "init" and row.op != "constant"]
        if plan.graph.function and callees <= found and not kept:
            found.add(plan.name)
    return found


def snake(name: str) -> str:
    """A class's name as that of a function: ``BoxArea`` is ``box_area``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _spec_names(plan: Plan) -> Iterator[str]:
    """The names that instances and raw weights of a class have in the spec."""
    yield from (weight.name for weight in raw_weights(plan.graph))
    yield from (node.name for node in plan.graph.nodes if node.name)


def own_attributes(row: Row, local: str) -> list[str]:
    """Where a layer keeps one of its weights."""
    name = row.native(local).name
    return name.split(".") if name else []


def held_by(weight: str) -> str:
    """The key of the attribute that holds a raw weight."""
    return f"weight {weight}"


def key_of(node: Node) -> str:
    """The key of the attribute that a layer, call or constant has."""
    return f"node {node.name or node.output}"


def kept(param: str) -> str:
    """The key of the attribute that keeps a constructor parameter for later."""
    return f"param {param}"
