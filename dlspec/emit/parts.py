"""Parts of printed models, by the paths of their weights: the attributes that hold all of some weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dlspec.diagnostics import fail
from dlspec.emit.attributes import is_stack
from dlspec.emit.manifest import Backend
from dlspec.emit.naming import ModuleNames, held_by, key_of, own_attributes
from dlspec.ir.graph import Call, Node, Program
from dlspec.ir.paths import under_any, weights_of
from dlspec.passes.outline import raw_weights

AVERAGES = ("running_mean", "running_var")
"""What normalisation over a batch keeps of it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A layer, block, list of blocks or weight of a printed model.

    path
        as code: ``model.backbone.conv1``.
    is_list
        several blocks, in a list.
    is_weight
        it is one variable.
    averages
        it has layers with running statistics.
    """

    path: str
    is_list: bool = False
    is_weight: bool = False
    averages: bool = False


def parts(
    names: ModuleNames,
    key: str,
    chosen: Collection[str],
    backend: Backend,
    model: str = "model",
    free: Collection[str] = (),
) -> list[Part]:
    """The fewest parts of `model`, a variable, that hold the weights `chosen`, by name, and of others only `free`."""
    every = [name for name, _, _ in names.paths(key)]
    if chosen and all(name in chosen or name in free for name in every):
        return [Part(model, averages=_has_averages(every))]
    return list(_Finder(names, backend, chosen, free).under(key, "", model))


class ModelParts:
    """The parts of a training's models. `names` are those of their classes, `attributes` those that hold them."""

    def __init__(
        self,
        program: Program,
        models: Mapping[str, str],
        names: ModuleNames,
        attributes: Mapping[str, str],
        backend: Backend,
    ) -> None:
        self.models, self.names, self.attributes, self.backend = models, names, attributes, backend
        self.weights = weights_of(program.graphs, models)

    def at(self, paths: Collection[str]) -> list[Part]:
        """The fewest parts that hold what is under some paths; theirs begin with the model's attribute."""
        return self.holding(under_any(paths, self.weights))

    def holding(self, chosen: Collection[str], free: Collection[str] = ()) -> list[Part]:
        """The fewest parts that hold the weights `chosen`, and of others only some of `free`."""
        found: list[Part] = []
        for model, key in self.models.items():
            head = f"{model}." if len(self.models) > 1 else ""
            inside, around = (
                frozenset(n.removeprefix(head) for n in names if n.startswith(head))
                for names in (chosen, free)
            )
            found += parts(self.names, key, inside, self.backend, self.attributes[model], around)
        return found


class _Finder:
    def __init__(
        self, names: ModuleNames, backend: Backend, chosen: Collection[str], free: Collection[str]
    ) -> None:
        self.names, self.backend, self.chosen, self.free = names, backend, chosen, free

    def under(self, key: str, canonical: str, path: str) -> Iterator[Part]:
        plan = self.names.outline.of[key]
        attributes = self.names.of[plan.name].attributes
        for weight in raw_weights(plan.graph):
            if canonical + weight.name in self.chosen:
                yield Part(f"{path}.{attributes[held_by(weight.name)]}", is_weight=True)
        seen: set[str] = set()
        for _, node, row in plan.nodes(self.names.graph(key)):
            if node.name in seen or (isinstance(node.op, Call) and self._is_function(node)):
                continue
            seen.add(node.name)
            if isinstance(node.op, Call):
                here = f"{path}.{attributes[key_of(node)]}"
                yield from self._block(node, f"{canonical}{node.name}.", here)
            elif row is not None and node.weights and row.kind == "init":
                held = {local: own_attributes(row, local) for local in node.weights}
                here = f"{path}.{attributes[key_of(node)]}"
                yield from self._layer(node, held, canonical, here)

    def _is_function(self, node: Node) -> bool:
        return self.names.callee(node).name in self.names.functions

    def _block(self, node: Node, canonical: str, path: str) -> Iterator[Part]:
        """A block, or copies of one."""
        assert isinstance(node.op, Call)
        local = [name for name, _, _ in self.names.paths(node.op.graph)]
        steps = [f"{step}." for step in range(node.op.repeat)] if node.op.repeat > 1 else [""]
        every = [f"{canonical}{step}{name}" for step in steps for name in local]
        if self._whole(every):
            in_list = len(steps) > 1 and not is_stack(node)
            yield Part(path, is_list=in_list, averages=_has_averages(every))
            return
        whole = [self._whole([f"{canonical}{step}{name}" for name in local]) for step in steps]
        for first, end in _runs(whole):
            chosen = f"{first or ''}:{end}" if end - first > 1 else str(first)
            here = self._copies(node, path, chosen)
            yield Part(here, is_list=end - first > 1, averages=_has_averages(every))
        for index, step in enumerate(steps):
            if not whole[index]:
                here = self._copies(node, path, str(index)) if len(steps) > 1 else path
                yield from self.under(node.op.graph, canonical + step, here)

    def _copies(self, node: Node, path: str, index: str) -> str:
        layers = self.backend.options.get("layers_of_stack", "") if is_stack(node) else ""
        return f"{path}{layers}[{index}]"

    def _layer(self, node: Node, held: Mapping[str, list[str]], canonical: str, path: str) -> Iterator[Part]:
        every = {canonical + name: held[local] for local, name in node.weights.items()}
        if self._whole(every):
            yield Part(path, averages=_has_averages(every))
            return
        variables: dict[str, list[str]] = {}
        for name, attributes in every.items():
            variable = ".".join(attributes).partition("[")[0]
            variables.setdefault(variable, []).append(name)
        for variable, inside in variables.items():
            if not any(name in self.chosen for name in inside):
                continue
            if not self._whole(inside):
                together = " and ".join(f"`{name}`" for name in inside)
                raise fail("DLS0707", f"the {self.backend.name} backend keeps {together} in one variable",
                           hint=f"name `{canonical}{node.name}`, the whole layer")  # fmt: skip
            yield Part(f"{path}.{variable}" if variable else path, is_weight=True)

    def _whole(self, names: Collection[str]) -> bool:
        some = any(name in self.chosen for name in names)
        return some and all(name in self.chosen or name in self.free for name in names)


def _runs(whole: list[bool]) -> Iterator[tuple[int, int]]:
    """From where to where it is true."""
    first = 0
    for index, here in enumerate([*whole, False]):
        if not here:
            if index > first:
                yield first, index
            first = index + 1


def _has_averages(names: Collection[str]) -> bool:
    return any(name.rpartition(".")[2] in AVERAGES for name in names)
