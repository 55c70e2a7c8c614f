"""A list of blocks that a `for` calls one after another, as one loop: only for printing, the last of the passes.

The elaborator writes a `for` out. Where each block of a list is called once, in order, and each gets what the
block before it gave, the same as all others, or its own slice of a tensor, and what it gives is handed on or
stacked up, a reader would write a loop, and so does the printer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.ir.graph import Call, Graph, Node, Program

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend


class Loop(Call):
    """`repeat` calls of the blocks of a list.

    carries
        for each input: the output that the next copy takes for it; None where it takes no output.
    slices
        for each input: how it is taken apart, a slice for each copy; None where all get the whole.
    stacks
        for each output: how the copies' results are put together; None where only the last one's counts.
    items, results
        what the spec calls a slice for each input, and a copy's result for each output; "" where it has no name.
    """

    carries: tuple[int | None, ...]
    slices: tuple[Any, ...]
    stacks: tuple[Any, ...]
    items: tuple[str, ...]
    results: tuple[str, ...]


def rolled(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program with loops in place of calls that are written out."""
    graphs = {key: _rolled(graph) for key, graph in program.graphs.items()}
    return program.model_copy(update={"graphs": graphs})


def _rolled(graph: Graph) -> Graph:
    for name, calls in _lists(graph).items():
        found = _Run(graph, name, calls).rolled()
        graph = graph if found is None else found
    return graph


def _lists(graph: Graph) -> dict[str, list[Node]]:
    """The calls of each list of blocks, in the order of their places, where each is called once."""
    found: dict[str, dict[int, list[Node]]] = {}
    for node in graph.nodes:
        match = re.fullmatch(r"(.+)\.(\d+)", node.name)
        if match and isinstance(node.op, Call) and node.op.repeat == 1:
            found.setdefault(match[1], {}).setdefault(int(match[2]), []).append(node)
    lists = {}
    for name, places in found.items():
        once = all(len(nodes) == 1 for nodes in places.values())
        calls = [places[place][0] for place in range(len(places)) if place in places]
        if once and len(calls) == len(places) > 1 and len({call.op.graph for call in calls}) == 1:  # type: ignore[attr-defined]
            lists[name] = calls
    return lists


class _Run:
    """The calls of one list, in order."""

    def __init__(self, graph: Graph, name: str, calls: Sequence[Node]) -> None:
        self.graph, self.name, self.calls = graph, name, calls
        self.uses = graph.uses()
        self.makers = {output: node for node in graph.nodes for output in node.outputs}
        self.readers = {name: node for node in graph.nodes for name in node.inputs if name}

    def rolled(self) -> Graph | None:
        """The graph with one loop; None where the calls do not follow one another so."""
        first, last = self.calls[0], self.calls[-1]
        carries, sources = [], []
        for values in zip(*(call.inputs for call in self.calls), strict=True):
            carried = self._carried(values)
            source = None if carried is not None or len(set(values)) == 1 else self._sliced(values)
            if carried is None and source is None and len(set(values)) > 1:
                return None
            carries.append(carried)
            sources.append(source)
        targets = []
        for place, values in enumerate(zip(*(call.outputs for call in self.calls), strict=True)):
            target = self._stacked(values)
            handed_on = place in carries and all(self.uses.get(value) == 1 for value in values[:-1])
            if target is None and not handed_on and any(self.uses.get(value) for value in values):
                return None
            targets.append(None if handed_on else target)
        gone = {id(node) for node in (*self.calls, *filter(None, (*sources, *targets)))}
        inputs = [n if s is None else s.inputs[0] for n, s in zip(first.inputs, sources, strict=True)]
        outputs = [n if t is None else t.output for n, t in zip(last.outputs, targets, strict=True)]
        op = self._op(first.op, carries, sources, targets)
        loop = first.model_copy(
            update={"op": op, "name": self.name, "inputs": tuple(inputs), "outputs": tuple(outputs)}
        )
        nodes: list[Node] = []
        for node in self.graph.nodes:
            if node is last:
                nodes.append(loop)
            elif id(node) not in gone:
                nodes.append(node)
        return self.graph.model_copy(update={"nodes": tuple(nodes)})

    def _op(
        self,
        op: Any,
        carries: Sequence[int | None],
        sources: Sequence[Node | None],
        targets: Sequence[Node | None],
    ) -> Call:
        count = len(self.calls)
        plain = not any((*sources, *targets))
        if plain and list(carries) == [*range(len(targets)), *[None] * (len(carries) - len(targets))]:
            return Call(graph=op.graph, repeat=count, carried=len(targets))  # as a `repeat` is
        return Loop(
            graph=op.graph,
            repeat=count,
            carried=0,
            carries=tuple(carries),
            slices=tuple(node and node.op for node in sources),
            stacks=tuple(node and node.op for node in targets),
            items=tuple(map(_plain, self.calls[0].inputs)),
            results=tuple(map(_plain, self.calls[0].outputs)),
        )

    def _carried(self, values: Sequence[str | None]) -> int | None:
        """Which output of each call is this input of the next one."""
        outputs = self.calls[0].outputs
        place = next((i for i, output in enumerate(outputs) if output == values[1]), None)
        if place is None:
            return None
        handed_on = all(
            value == call.outputs[place] for value, call in zip(values[1:], self.calls, strict=False)
        )
        return place if handed_on else None

    def _sliced(self, values: Sequence[str | None]) -> Node | None:
        """The node whose results are these values, one for each call, and that nothing else reads."""
        maker = self.makers.get(values[0] or "")
        whole = maker is not None and maker.op.spec_name() == "unstack" and maker.outputs == tuple(values)
        return maker if whole and all(self.uses.get(value or "") == 1 for value in values) else None

    def _stacked(self, values: Sequence[str]) -> Node | None:
        """The node that puts these results together, and that alone reads them."""
        reader = self.readers.get(values[0])
        whole = reader is not None and reader.op.spec_name() == "stack" and reader.inputs == tuple(values)
        return reader if whole and all(self.uses.get(value) == 1 for value in values) else None


def _plain(value: str | None) -> str:
    """What the user calls a value, without the number of a rebinding."""
    return (value or "").partition("@")[0].partition("%")[0]
